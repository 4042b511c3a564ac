//! `bindgen MODULE FOLDER`: what wasm-bindgen makes of a module, for browsers and for Node.
//!
//! Owns the settings of that tool. A program of its own behind a feature, so that it is compiled only where the browser package is
//! built: the tool takes about as long to compile as all the rest of the build steps together.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        eprintln!("usage: bindgen MODULE FOLDER");
        return ExitCode::FAILURE;
    };
    match generate(module.as_ref(), folder.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn generate(module: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    // Bundlers understand what is made for the web, too.
    settings(module).web(true)?.generate(folder.join("browser"))?;
    settings(module).nodejs_module(true)?.generate(folder.join("node"))?;
    Ok(())
}

fn settings(module: &Path) -> Bindgen {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name("fulmar")
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .typescript(true);
    bindgen
}
