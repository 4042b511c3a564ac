//! Counts by key, of which only those above 0 are kept.

use alloc::collections::BTreeMap;

/// Takes one away from a count, and the count itself with the last one.
pub(crate) fn release<K: Ord>(counts: &mut BTreeMap<K, u64>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// Adds other counts.
pub(crate) fn add_all<K: Ord + Clone>(counts: &mut BTreeMap<K, u64>, others: &BTreeMap<K, u64>) {
    for (key, count) in others {
        *counts.entry(key.clone()).or_default() += count;
    }
}

/// JSON turns numbers into text by itself where they are keys. JavaScript's values do not: so it is done here, for both.
#[cfg(feature = "serde")]
pub(crate) fn serialize_by_cpu<S: serde::Serializer>(
    counts: &BTreeMap<crate::CpuId, u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.collect_map(counts.iter().map(|(id, count)| (alloc::format!("{}", id.get()), count)))
    } else {
        serde::Serialize::serialize(counts, serializer)
    }
}
