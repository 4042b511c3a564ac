//! Values at the edges of what they can be, as messages bring them.

use fulmar_core::{Amount, BlockSize, CpuId, Path, SectorSize};

#[test]
fn numbers_become_values_within_their_bounds_and_numbers_again() {
    for number in [0, 1, 512, (1_u64 << 53) - 1] {
        assert_eq!(Amount::try_from(number).map(u64::from), Ok(number));
    }
    assert!(Amount::try_from(1_u64 << 53).is_err());
    for number in [0, 63, 64, 8191] {
        assert_eq!(CpuId::try_from(number).map(u64::from), Ok(number));
    }
    assert!(CpuId::try_from(8192).is_err());
    for number in [512, 4096, 32_768] {
        assert_eq!(SectorSize::try_from(number).map(u64::from), Ok(number));
    }
    for number in [0, 256, 1000, 65_536] {
        assert!(SectorSize::try_from(number).is_err());
    }
    assert_eq!(BlockSize::try_from(Amount::ONE).map(Amount::from), Ok(Amount::ONE));
    assert!(BlockSize::try_from(Amount::ZERO).is_err());
}

#[test]
fn a_text_becomes_the_domain_it_names() {
    let read = |text: &str| Path::try_from(text.to_owned());
    assert_eq!(read("alice:bob").unwrap().to_string(), "alice:bob");
    assert_eq!(read(":"), Ok(Path::root()));
    assert!(read("a::b").is_err());
}
