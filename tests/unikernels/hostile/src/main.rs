//! `hostile`: a unikernel that does what no unikernel may. Does what the arguments say, in their order, and prints what
//! came of each that it outlives.
//!
//! | argument | what it does |
//! |---|---|
//! | `read=ADDRESS`, `write=ADDRESS` | reads a byte, or writes one |
//! | `run=ADDRESS` | calls the code there |
//! | `call=NUMBER,WORD…` | in `spt` that system call with so many arguments; in `hvt` that hypercall with a structure of these words |
//! | `port=NUMBER,ADDRESS` | `hvt`: writes 32 bits, such as a structure's address, to a port of that number |
//! | `byte=NUMBER` | `hvt`: writes 8 bits to a port |
//! | `in=NUMBER` | `hvt`: reads 32 bits from a port |
//! | `alias=ADDRESS` | `hvt`: puts page tables of its own in place of the tender's, and writes a byte to that physical address |
//! | `register=NAME` | `hvt`: tells `cr0`, `cr3`, `cr4`, `efer`, `rflags`, `cs`, `ds`, `es`, `fs`, `gs`, `ss` or `ldt` |
//! | `call32=NUMBER` | `int 0x80`, the kernel's door for 32-bit programs |
//! | `instruction=NAME` | `hlt`, `ud2` or `wrmsr` |
//!
//! Numbers and addresses are decimal, or hexadecimal with `0x`, or one of these words: `text`, `rodata`, `data` and
//! `stack` are addresses in such memory, the last two with a `ret` there; `buffer` is a page to write into; in `spt`
//! `epoll` and `timer` are its descriptors.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "does what may not be done")]

use core::arch::asm;
use core::sync::atomic::AtomicU8;

use solo5::{Boot, parse_number, println};

solo5::entry!(hostile);

const RETURN: u8 = 0xc3;
/// As many as a system call takes, and the longest hypercall's structure is five words long.
const WORDS_MAX: usize = 6;

static RODATA: u8 = RETURN;
static DATA: AtomicU8 = AtomicU8::new(RETURN);
static BUFFER: [AtomicU8; 4096] = [const { AtomicU8::new(0) }; 4096];

fn hostile(boot: Boot) -> u8 {
    for argument in boot.arguments() {
        if obey(argument).is_none() {
            println!("cannot understand {argument}");
            solo5::abort();
        }
    }
    0
}

fn obey(argument: &str) -> Option<()> {
    let stack = [RETURN; 1];
    let (word, value) = argument.split_once('=')?;
    #[cfg(feature = "hvt")]
    if word == "register" {
        println!("{argument}: {:#x}", register(value)?);
        return Some(());
    }
    let mut words = [0; WORDS_MAX];
    if word == "instruction" {
        return instruction(value);
    }
    for (index, text) in value.split(',').enumerate() {
        *words.get_mut(index)? = parse_word(text, &stack)?;
    }
    let result = act(word, words)?;
    println!("{argument}: {result:#x}");
    Some(())
}

fn parse_word(text: &str, stack: &[u8]) -> Option<usize> {
    let address = match text {
        "text" => hostile as *const () as *const u8,
        "rodata" => &raw const RODATA,
        "data" => DATA.as_ptr(),
        "stack" => stack.as_ptr(),
        "buffer" => BUFFER.as_ptr().cast(),
        #[cfg(feature = "spt")]
        "epoll" => return Some(solo5::epoll() as usize),
        #[cfg(feature = "spt")]
        "timer" => return Some(solo5::timer() as usize),
        number => return parse_number(number).map(|number| number as usize),
    };
    Some(address.expose_provenance())
}

/// Does it; what there is to tell afterwards is a number.
fn act(word: &str, words: [usize; WORDS_MAX]) -> Option<usize> {
    let first = words[0];
    let result = match word {
        "read" => read(first),
        "write" => write(first),
        "run" => run(first),
        "call" => call(words),
        "call32" => call32(first),
        #[cfg(feature = "hvt")]
        "port" => port(first as u16, words[1] as u32),
        #[cfg(feature = "hvt")]
        "byte" => byte(first as u16),
        #[cfg(feature = "hvt")]
        "in" => input(first as u16),
        #[cfg(feature = "hvt")]
        "alias" => alias(first),
        _ => return None,
    };
    Some(result)
}

fn read(address: usize) -> usize {
    // SAFETY: none; where nothing may be read the unikernel ends. In assembly, so that the compiler cannot know.
    unsafe {
        let value: u8;
        asm!("mov {}, byte ptr [{}]", out(reg_byte) value, in(reg) address);
        value.into()
    }
}

fn write(address: usize) -> usize {
    // SAFETY: none; where nothing may be written the unikernel ends. The byte there is what it was, if it can be read.
    unsafe { asm!("mov byte ptr [{}], {}", in(reg) address, in(reg_byte) RETURN) };
    0
}

fn run(address: usize) -> usize {
    // SAFETY: none; where nothing may be executed the unikernel ends, elsewhere is a `ret`.
    unsafe { asm!("call {}", in(reg) address, clobber_abi("C")) };
    0
}

#[cfg(feature = "spt")]
fn call([number, a, b, c, d, e]: [usize; WORDS_MAX]) -> usize {
    // SAFETY: none; what the filter allows writes to `buffer`.
    unsafe { solo5::system_call(number, [a, b, c, d, e, 0]) as usize }
}

#[cfg(feature = "hvt")]
fn call([number, structure @ ..]: [usize; WORDS_MAX]) -> usize {
    let mut structure = structure;
    // SAFETY: none; what the tender accepts writes to `buffer`, and the structure is as long as the longest.
    unsafe { solo5::call(number as u16, &mut structure) };
    structure[0]
}

fn call32(number: usize) -> usize {
    let mut result = number;
    // SAFETY: none; no tender lets it return. The kernel would keep all registers but rax.
    unsafe { asm!("push rbx", "xor ebx, ebx", "int 0x80", "pop rbx", inout("rax") result) };
    result
}

#[cfg(feature = "hvt")]
fn port(port: u16, address: u32) -> usize {
    // SAFETY: none; what the tender accepts writes to `buffer`.
    unsafe { solo5::hypercall(port, address) };
    0
}

#[cfg(feature = "hvt")]
fn byte(port: u16) -> usize {
    // SAFETY: changes no memory.
    unsafe { asm!("out dx, al", in("dx") port, in("al") 0_u8) };
    0
}

#[cfg(feature = "hvt")]
fn input(port: u16) -> usize {
    let value: u32;
    // SAFETY: changes no memory.
    unsafe { asm!("in eax, dx", in("dx") port, out("eax") value) };
    value as usize
}

/// Page tables that map the first 1 GiB one to one, as the tender's do, but everything writable, and the 2 MiB around
/// `physical` in the place of the last.
#[cfg(feature = "hvt")]
fn alias(physical: usize) -> usize {
    use core::sync::atomic::{AtomicU64, Ordering};
    #[repr(align(4096))]
    struct Table([AtomicU64; 512]);
    static TABLES: [Table; 3] = [const { Table([const { AtomicU64::new(0) }; 512]) }; 3];
    const PRESENT_AND_WRITABLE: u64 = 3;
    const LARGE: u64 = 0x80;
    const LARGE_BYTES: usize = 2 << 20;
    const WINDOW: usize = 511;

    let [top, middle, low] = &TABLES;
    let address = |table: &Table| table.0.as_ptr().expose_provenance() as u64;
    top.0[0].store(address(middle) | PRESENT_AND_WRITABLE, Ordering::Relaxed);
    middle.0[0].store(address(low) | PRESENT_AND_WRITABLE, Ordering::Relaxed);
    for (index, entry) in low.0.iter().enumerate() {
        let start = if index == WINDOW {
            physical & !(LARGE_BYTES - 1)
        } else {
            index * LARGE_BYTES
        };
        entry.store(start as u64 | LARGE | PRESENT_AND_WRITABLE, Ordering::Relaxed);
    }
    // SAFETY: none; but the unikernel itself stays where it is.
    unsafe { asm!("mov cr3, {}", in(reg) address(top)) };
    write(WINDOW * LARGE_BYTES + physical % LARGE_BYTES)
}

#[cfg(feature = "hvt")]
fn register(name: &str) -> Option<u64> {
    let mut value = 0_u64;
    // SAFETY: they change no memory but the stack's next word.
    unsafe {
        match name {
            "cr0" => asm!("mov {}, cr0", out(reg) value),
            "cr3" => asm!("mov {}, cr3", out(reg) value),
            "cr4" => asm!("mov {}, cr4", out(reg) value),
            "efer" => asm!("rdmsr", in("ecx") 0xc000_0080_u32, inout("rax") value, out("rdx") _),
            "rflags" => asm!("pushfq", "pop {}", out(reg) value),
            "cs" => asm!("mov {:r}, cs", inout(reg) value),
            "ds" => asm!("mov {:r}, ds", inout(reg) value),
            "es" => asm!("mov {:r}, es", inout(reg) value),
            "fs" => asm!("mov {:r}, fs", inout(reg) value),
            "gs" => asm!("mov {:r}, gs", inout(reg) value),
            "ss" => asm!("mov {:r}, ss", inout(reg) value),
            "ldt" => asm!("sldt {:r}", inout(reg) value),
            _ => return None,
        }
    }
    Some(value)
}

fn instruction(name: &str) -> Option<()> {
    // SAFETY: none; they touch no memory.
    unsafe {
        match name {
            "hlt" => asm!("hlt"),
            "ud2" => asm!("ud2"),
            "wrmsr" => asm!("wrmsr", in("ecx") 0xc000_0080_u32, in("eax") 0, in("edx") 0),
            _ => return None,
        }
    }
    println!("instruction={name}: done");
    Some(())
}
