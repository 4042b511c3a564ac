//! The build steps of Fulmar that plain cargo cannot do alone.
//!
//! `policy.wasm` and the test unikernels need other targets than the host, and the host embeds the first and the tests
//! run the second: so the order of building matters, and here it is written down. This file owns the command line and
//! the order; each command is a file of its own, and none of them knows how progress is printed (`step`).

mod artifact;
mod bench;
mod browser;
mod demo;
mod deny;
mod fuzz;
mod setup;
mod step;
mod test;
mod toolchain;
mod unikernels;
mod wasm;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    step::{Failure, Steps},
    toolchain::Target,
    workspace::Workspace,
};

/// The build steps of Fulmar.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Show the output of every command, not only of those that fail
    #[arg(long, short, global = true)]
    verbose: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Find or install what compiles WebAssembly and the test unikernels
    Setup,
    /// Build wasm/dist: policy.wasm, the rules that the host embeds, and the packages for browsers and Node
    Wasm,
    /// Build the test unikernels into tests/unikernels/dist
    Unikernels,
    /// Build the page into web/dist; needs Node and npm
    Web {
        /// Hand it out on this machine, until Ctrl-C
        #[arg(long)]
        serve: bool,
    },
    /// Show on this machine, without root, what Fulmar does: two tenants, a refusal, a killed daemon
    Demo {
        /// End after the story instead of staying with the daemon running
        #[arg(long)]
        exit: bool,
    },
    /// Check everything: format, builds, lints, documentation, tests, instructions, fuzzing, dependencies
    Test,
    /// Run every fuzz target for a while; needs a nightly compiler and cargo-fuzz
    Fuzz {
        /// How long each of them, in seconds
        #[arg(long, default_value_t = fuzz::SECONDS)]
        seconds: u32,
    },
    /// Measure
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Subcommand)]
enum Bench {
    /// The rules: how long each operation takes, from ten to a million unikernels
    Core {
        /// Take less time, and be less sure
        #[arg(long, conflicts_with = "instructions")]
        quick: bool,
        /// Count instructions instead, and compare them with core/benches/instructions.txt; needs valgrind
        #[arg(long)]
        instructions: bool,
        /// Write what was counted into core/benches/instructions.txt
        #[arg(long, requires = "instructions")]
        accept: bool,
    },
    /// The tender: from start to exit of a unikernel, its memory, its size, and where the time goes
    Tender,
    /// The module and the browser package: calls, snapshots and starts, with 100,000 unikernels
    Wasm,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut steps = Steps::new(arguments.verbose);
    match run(&arguments.command, &mut steps) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command, steps: &mut Steps) -> Result<(), Failure> {
    let workspace = Workspace::find()?;
    match command {
        Command::Setup => setup::obtain_all(&Target::ALL, steps)?,
        Command::Wasm => {
            let compiler = wasm::build(&workspace, steps)?;
            browser::build(&workspace, steps, &compiler)?;
        }
        Command::Unikernels => drop(unikernels::build(&workspace, steps)?),
        Command::Web { serve } => web::run(&workspace, steps, *serve)?,
        Command::Demo { exit } => return demo::run(&workspace, steps, *exit),
        Command::Test => test::run(&workspace, steps)?,
        Command::Fuzz { seconds } => fuzz::run(&workspace, steps, *seconds)?,
        Command::Bench(Bench::Wasm) => bench::wasm::run(&workspace, steps)?,
        Command::Bench(Bench::Tender) => bench::tender::run(&workspace, steps)?,
        Command::Bench(Bench::Core {
            quick,
            instructions,
            accept,
        }) => {
            if *instructions {
                bench::instructions::run(&workspace, steps, *accept)?;
            } else {
                bench::run(&workspace, steps, *quick)?;
            }
        }
    }
    steps.summarise();
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
