//! What must hold of a unikernel's file, whatever is in it: it is refused with a sentence, or everything that a tender relies on
//! is true of it.

use fulmar_tender::{Image, LOAD_ADDRESS_MIN, Manifest, Target};

const PAGE_BYTES: u64 = 4096;
/// Sizes that some target takes and some does not, and sizes next to them.
const MEMORY_MIB: [u64; 10] = [0, 1, 2, 3, 32, 4095, 4096, 4098, 1 << 20, u64::MAX];

pub(crate) fn assert_refused_or_sound(file: &[u8]) {
    let image = match Image::parse(file) {
        Ok(image) => image,
        Err(error) => return assert_is_one_line(&error.to_string()),
    };
    let segments = image.segments();
    let mut lowest = LOAD_ADDRESS_MIN;
    for segment in segments {
        let pages = segment.pages();
        assert!(
            lowest <= pages.start && pages.start < pages.end,
            "ascending, apart, not empty"
        );
        assert!(pages.start % PAGE_BYTES == 0 && pages.end % PAGE_BYTES == 0);
        let contents = segment.contents(file);
        assert!(!contents.is_empty());
        let end = segment.address() + contents.len() as u64;
        assert!(
            pages.start <= segment.address() && end <= pages.end,
            "the bytes lie in the pages"
        );
        assert!(!(segment.protection().write() && segment.protection().execute()));
        lowest = pages.end;
    }
    assert!(!segments.is_empty() && image.kernel_end() == lowest);
    assert!(image.entry() >= LOAD_ADDRESS_MIN);
    assert!(!matches!(image.target(), Target::Hvt | Target::Spt) || image.abi_version() == 2);
    assert_eq!(
        Manifest::parse(&image.manifest().to_bytes()).as_ref(),
        Ok(image.manifest())
    );
    assert_fits_only_where_all_of_it_is(&image);
}

fn assert_fits_only_where_all_of_it_is(image: &Image) {
    for memory_mib in MEMORY_MIB {
        match image.check_fits(memory_mib) {
            Ok(()) => {
                let bytes = memory_mib << 20;
                assert!(image.kernel_end() <= bytes && image.entry() < bytes);
                assert!(image.target() != Target::Hvt || (memory_mib % 2 == 0 && memory_mib <= 4096));
            }
            Err(error) => assert_is_one_line(&error.to_string()),
        }
    }
}

fn assert_is_one_line(sentence: &str) {
    assert!(
        !sentence.is_empty() && !sentence.chars().any(char::is_control),
        "{sentence:?}"
    );
}
