//! Claims about the library and the program, from outside: files are made by [`elf`], or are the test unikernels.

mod block;
mod bpf;
mod devices;
mod elf;
mod environment;
mod filter;
mod hold;
mod hvt;
mod image;
mod lab;
mod malformed;
mod manifest;
mod net;
mod pinger;
mod run;
mod sandbox;
mod sentences;
mod spt;
mod tender;
