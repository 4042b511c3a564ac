//! Makes unikernels' files, byte by byte, so that a test can break one rule at a time.
//!
//! Right by default; says nothing about what a parser should think of it.

use fulmar_tender::Target;

pub(crate) const TARGET_HVT: u32 = 1;
pub(crate) const TARGET_SPT: u32 = 2;
pub(crate) const BLOCK: u32 = 1;
pub(crate) const NET: u32 = 2;
const RESERVED: u32 = 1 << 30;

pub(crate) const PROGRAM_HEADERS: usize = 64;
/// The program headers, by index.
pub(crate) const ABI: usize = 0;
pub(crate) const MANIFEST: usize = 1;
pub(crate) const TEXT: usize = 2;
pub(crate) const DATA: usize = 3;
pub(crate) const BSS: usize = 4;
const PROGRAM_COUNT: u16 = 5;

pub(crate) const ABI_NOTE: usize = PROGRAM_HEADERS + PROGRAM_COUNT as usize * 56;
const NOTE_HEADER_BYTES: usize = 20;
const ABI_NOTE_BYTES: usize = NOTE_HEADER_BYTES + 16;
pub(crate) const MANIFEST_NOTE: usize = ABI_NOTE + ABI_NOTE_BYTES;

pub(crate) const TEXT_ADDRESS: u64 = 0x10_0000;
pub(crate) const DATA_ADDRESS: u64 = 0x10_1000;
const BSS_ADDRESS: u64 = 0x10_8000;

/// A unikernel with text, data, and a segment that is only zeros.
pub(crate) struct Unikernel<'a> {
    pub(crate) target: u32,
    pub(crate) devices: Vec<(&'a str, u32)>,
    pub(crate) text: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

impl Default for Unikernel<'_> {
    /// For `spt`.
    fn default() -> Self {
        Self::of(TARGET_SPT)
    }
}

impl Unikernel<'_> {
    /// Ends with status 42; has no devices.
    pub(crate) fn of(target: u32) -> Self {
        Self {
            target,
            devices: vec![],
            text: exit_with(target, 42),
            data: b"data".to_vec(),
        }
    }

    /// The file. It ends with the last byte that is loaded, so no byte at the end can be missing.
    pub(crate) fn file(&self) -> Vec<u8> {
        let manifest = manifest(&self.devices);
        let abi_note = note(b"ABI1", &words(&[self.target, 2, 0, 0]));
        let manifest_note = note(b"MFT1", &[vec![0; 4], manifest].concat());
        let text = MANIFEST_NOTE + manifest_note.len();
        let data = text + self.text.len();
        let sizes = |bytes: &[u8]| (bytes.len(), bytes.len() as u64);
        let programs = [
            program(4, 4, ABI_NOTE, 0, sizes(&abi_note), 4),
            program(4, 4, MANIFEST_NOTE, 0, sizes(&manifest_note), 4),
            program(1, 5, text, TEXT_ADDRESS, sizes(&self.text), 4096),
            // Two pages, of which the file fills a part of the first.
            program(1, 6, data, DATA_ADDRESS, (self.data.len(), 0x2000), 4096),
            program(1, 6, 0, BSS_ADDRESS, (0, 0x1000), 4096),
        ];
        [
            header(),
            programs.concat(),
            abi_note,
            manifest_note,
            self.text.clone(),
            self.data.clone(),
        ]
        .concat()
    }
}

/// The number of a target that has a tender.
pub(crate) fn number(target: Target) -> u32 {
    match target {
        Target::Hvt => TARGET_HVT,
        Target::Spt => TARGET_SPT,
        other => panic!("`{other}` has no tender"),
    }
}

/// Machine code that ends with `status`: in `spt` by `exit_group`, in `hvt` by the hypercall halt.
pub(crate) fn exit_with(target: u32, status: u8) -> Vec<u8> {
    if target == TARGET_HVT {
        let mut code = vec![0x68, status, 0, 0, 0]; // push status
        code.extend([0x6a, 0]); // push 0: the cookie
        code.extend([0x89, 0xe0]); // mov eax, esp
        code.extend([0x66, 0xba, 0x08, 0x05]); // mov dx, 0x508
        code.push(0xef); // out dx, eax
        return code;
    }
    let mut code = vec![0xbf, status, 0, 0, 0]; // mov edi, status
    code.extend([0xb8, 231, 0, 0, 0]); // mov eax, 231
    code.extend([0x0f, 0x05]); // syscall
    code
}

/// Where a field of a program header is in the file.
pub(crate) fn program_field(program: usize, field: ProgramField) -> usize {
    PROGRAM_HEADERS + 56 * program + field as usize
}

/// Every field of every header and note of a file without devices: where it is, and its size in bytes.
pub(crate) fn fields() -> Vec<(usize, usize)> {
    const HEADER: [(usize, usize); 18] = [
        (0, 4), // the identification: magic, class, encoding, version, ABI and its version
        (4, 1),
        (5, 1),
        (6, 1),
        (7, 1),
        (8, 1),
        (16, 2),
        (18, 2),
        (20, 4),
        (24, 8),
        (32, 8),
        (40, 8),
        (48, 4),
        (52, 2),
        (54, 2),
        (56, 2),
        (58, 2),
        (60, 4),
    ];
    const PROGRAM: [(usize, usize); 8] = [(0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 8), (48, 8)];
    let programs = (0..PROGRAM_COUNT.into())
        .flat_map(|index| PROGRAM.map(|(offset, size)| (PROGRAM_HEADERS + 56 * index + offset, size)));
    let abi_note = (ABI_NOTE..MANIFEST_NOTE).step_by(4).map(|word| (word, 4));
    // The note's header and padding, the manifest's header, and what is not a name in its entry.
    let manifest = MANIFEST_NOTE + NOTE_HEADER_BYTES + 4;
    let manifest_note = (MANIFEST_NOTE..manifest + 8 + 4).step_by(4);
    let entry = (manifest + 8 + 68..manifest + 8 + 104).step_by(4);
    let words = manifest_note.chain(entry).map(|word| (word, 4));
    HEADER
        .into_iter()
        .chain(programs)
        .chain(abi_note)
        .chain(words)
        .collect()
}

/// The fields of a program header by their offset.
#[derive(Clone, Copy)]
pub(crate) enum ProgramField {
    Type = 0,
    Flags = 4,
    Offset = 8,
    Address = 16,
    FileSize = 32,
    MemorySize = 40,
    Align = 48,
}

/// A manifest of the reserved entry and these devices.
pub(crate) fn manifest(devices: &[(&str, u32)]) -> Vec<u8> {
    let count = u32::try_from(1 + devices.len()).unwrap();
    let mut bytes = words(&[1, count]);
    for (name, kind) in [("", RESERVED)].iter().chain(devices) {
        let mut entry = vec![0; 104];
        entry[..name.len()].copy_from_slice(name.as_bytes());
        entry[68..72].copy_from_slice(&kind.to_le_bytes());
        bytes.extend(entry);
    }
    bytes
}

fn header() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend([2, 0, 62, 0]); // an executable, for x86-64
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(TEXT_ADDRESS.to_le_bytes()); // the entry point
    bytes.extend((PROGRAM_HEADERS as u64).to_le_bytes());
    bytes.extend([0; 12]); // no sections, no flags
    for half in [64, 56, PROGRAM_COUNT, 0, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    bytes
}

fn program(kind: u32, flags: u32, offset: usize, address: u64, sizes: (usize, u64), align: u64) -> Vec<u8> {
    let mut bytes = words(&[kind, flags]);
    for word in [offset as u64, address, address, sizes.0 as u64, sizes.1, align] {
        bytes.extend(word.to_le_bytes());
    }
    bytes
}

fn note(kind: &[u8; 4], description: &[u8]) -> Vec<u8> {
    let description_bytes = u32::try_from(description.len()).unwrap();
    [
        &words(&[6, description_bytes]),
        kind.as_slice(),
        b"Solo5\0\0\0",
        description,
    ]
    .concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
