//! `fulmar-tender`: runs one Solo5 unikernel, and becomes it.
//!
//! This file owns the order of things and the exit status; [`entry`] calls it. What a unikernel's file may look like is the
//! library's affair; [`options`] reads the command line, [`devices`] opens what it names, [`hvt`] and [`spt`] each load and run
//! a unikernel of that target, [`hold`] lets a parent say when, [`process`] is what the tender does to itself.

#![cfg_attr(not(test), no_main)]

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("fulmar-tender knows the system calls and registers of x86-64 Linux only");

mod devices;
#[cfg(not(test))]
mod entry;
mod events;
mod file_part;
mod filter;
mod hold;
mod hvt;
mod last_words;
mod options;
mod process;
mod spt;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use devices::{DeviceError, Devices};
use fulmar_tender::{FitError, Image, ImageError, Target, exit_status};
use options::{Invocation, OptionsError, RunOptions};

/// Far above the largest unikernels with their debug sections (tens of MiB), and far below what would hurt the host.
const IMAGE_BYTES_MAX: u64 = 1 << 30;

/// Does what the arguments say; returns the exit status. The tests have an entry of their own.
#[cfg_attr(test, expect(dead_code, reason = "called by `entry` only"))]
fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    start(arguments).unwrap_or_else(|error| {
        last_words::say(&error);
        exit_status::TENDER_ERROR
    })
}

fn start(arguments: impl Iterator<Item = OsString>) -> Result<u8, TenderError> {
    match options::parse(arguments)? {
        Invocation::Help => print(include_str!("help.txt")),
        Invocation::Version => print(&version()),
        Invocation::Run(run) => match run_unikernel(&run)? {},
    }
}

fn run_unikernel(options: &RunOptions) -> Result<std::convert::Infallible, TenderError> {
    // The parent's descriptors first: else one that is not open could be taken for a file that is opened here.
    let inherited = devices::adopt(&options.devices)?;
    let file = open_file(&options.unikernel).map_err(|error| TenderError::File(shown(&options.unikernel), error))?;
    let image = Image::read(&file).map_err(|error| TenderError::Image(shown(&options.unikernel), error))?;
    let memory_mib = whole_steps(image.target(), options.memory_mib);
    image.check_fits(memory_mib)?;
    let devices = Devices::attach(image.manifest(), &options.devices, inherited)?;
    match image.target() {
        Target::Hvt => Ok(hvt::run(&image, file, memory_mib << 20, devices, options)?),
        Target::Spt => Ok(spt::run(&image, file, memory_mib << 20, &devices, options)?),
        other => Err(TenderError::Target(other)),
    }
}

/// A size that the target can have, at most the one that is asked for if there is such a one; else the smallest. Solo5's tenders
/// round so too, and say so.
fn whole_steps(target: Target, memory_mib: u64) -> u64 {
    let step_mib = target.memory_mib_step();
    let given_mib = (memory_mib - memory_mib % step_mib).max(step_mib);
    if given_mib != memory_mib {
        last_words::say(&format_args!(
            "memory: {memory_mib} MiB asked, `{target}` takes multiples of {step_mib} MiB: {given_mib} MiB given"
        ));
    }
    given_mib
}

/// Opens a regular file: a pipe or a device could keep the tender waiting, or never end.
fn open_file(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > IMAGE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "{} bytes, at most {IMAGE_BYTES_MAX} are read",
            metadata.len()
        )));
    }
    Ok(file)
}

fn version() -> String {
    let abi_version = Target::Spt.abi_version().expect("spt has a tender");
    // Albatross looks for the second line in exactly this form.
    format!(
        "fulmar-tender {}\nABI version {abi_version}\nTargets: hvt, spt\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn print(text: &str) -> Result<u8, TenderError> {
    io::stdout().write_all(text.as_bytes()).map_err(TenderError::Print)?;
    Ok(exit_status::SUCCESS)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Everything that ends the tender before the unikernel begins; always with [`exit_status::TENDER_ERROR`].
#[derive(Debug, thiserror::Error)]
enum TenderError {
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error("standard output: {0}")]
    Print(io::Error),
    #[error("`{0}`: {1}")]
    File(String, io::Error),
    #[error("`{0}`: {1}")]
    Image(String, ImageError),
    #[error("`{0}` unikernels run without a tender")]
    Target(Target),
    #[error(transparent)]
    Devices(#[from] DeviceError),
    #[error(transparent)]
    Fit(#[from] FitError),
    #[error(transparent)]
    Hvt(#[from] hvt::HvtError),
    #[error(transparent)]
    Spt(#[from] spt::SptError),
}
