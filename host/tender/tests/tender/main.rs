//! Claims about the library and the program, from outside: files are made by [`elf`], or are the test unikernels.

mod elf;
mod hold;
mod image;
mod manifest;
mod run;
mod sandbox;
mod tender;
