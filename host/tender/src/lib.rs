//! What a host must know about a Solo5 unikernel before it runs one.
//!
//! The library half of `fulmar-tender` reads and checks; it opens, maps and starts nothing. The daemon uses it to
//! refuse a file when it arrives, and the program of the same name uses it again, on the same bytes, before it loads
//! them: what one accepts, the other runs. Of a large file [`Image::read`] reads only what it must.
//!
//! ```no_run
//! use fulmar_tender::{Image, Target};
//!
//! let file = std::fs::read("hello.spt")?;
//! let image = Image::parse(&file)?; // every rule of the format, or the reason why not
//! assert_eq!(image.target(), Target::Spt);
//! for device in image.manifest().devices() {
//!     println!("wants the {} device {}", device.kind(), device.name());
//! }
//! image.check_fits(32)?; // 32 MiB of memory: enough for what the file loads?
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Beside the file, the library owns the rest of the contract between the daemon and the program: the
//! [`CommandLine`] a unikernel is given, the [`exit_status`] values that are not the unikernel's own, and the byte
//! that says that a held unikernel is loaded ([`HELD`]).

#![forbid(unsafe_code)]

mod command_line;
pub mod exit_status;
mod image;
mod manifest;
mod target;

pub use command_line::{COMMAND_LINE_BYTES_MAX, CommandLine, CommandLineError};
pub use image::header::HeaderError;
pub use image::note::NoteError;
pub use image::segment::{Protection, Segment, SegmentError};
pub use image::{FitError, Image, ImageError, LOAD_ADDRESS_MIN};
pub use manifest::{Attachment, DEVICES_MAX, Device, DeviceKind, Manifest, ManifestError, Properties};
pub use target::{Target, UnknownTarget};

/// The byte that `fulmar-tender --hold` writes to its standard input, a socket, once the unikernel is loaded. Any one
/// byte in answer starts the unikernel; closing the socket ends the tender instead.
pub const HELD: u8 = b'R';
