//! `wasm/dist/browser/` and `wasm/dist/node/`: the rules as packages for JavaScript.
//!
//! Owns how they are built: cargo makes the module, the program `bindgen` beside this one what JavaScript loads it by. What is in
//! it is the package `fulmar-browser`'s.

use std::{fs, io, path::Path, process::Command};

use crate::{
    artifact,
    step::{Failure, Steps},
    toolchain::Compiler,
    wasm,
    workspace::Workspace,
};

const FOLDERS: [&str; 2] = ["browser", "node"];

/// Builds both, by the compiler that built `policy.wasm`.
///
/// # Errors
/// When the build fails, or a file cannot be written.
pub(crate) fn build(workspace: &Workspace, steps: &mut Steps, compiler: &Compiler) -> Result<(), Failure> {
    let target_folder = workspace.target.join("wasm");
    steps.run(
        "browser package: module",
        wasm::compile(compiler, workspace, &target_folder, "fulmar-browser"),
        "the compiler's words are above; the package is wasm/browser/",
    )?;
    let module = wasm::built(&target_folder, "fulmar_browser");
    let made = target_folder.join("bindgen");
    forget(&made)?;
    steps.run(
        "browser package: JavaScript",
        bindgen(workspace, &module, &made),
        "its words are above; the program is xtask/bindgen/",
    )?;
    for folder in FOLDERS {
        place(folder, &made.join(folder), workspace, steps)?;
    }
    Ok(())
}

/// The first time it is compiled, which takes about a minute.
fn bindgen(workspace: &Workspace, module: &Path, made: &Path) -> Command {
    let mut command = workspace.cargo([
        "run",
        "--package",
        "xtask",
        "--features",
        "bindgen",
        "--bin",
        "bindgen",
        "--",
    ]);
    command.args([module, made]);
    command
}

/// What an older build made and this one does not.
fn forget(made: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(made) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(made, &error)),
        _ => Ok(()),
    }
}

fn place(folder: &str, made: &Path, workspace: &Workspace, steps: &Steps) -> Result<(), Failure> {
    fs::write(made.join("package.json"), manifest(folder)).map_err(|error| unwritable(made, &error))?;
    let placed = workspace.root.join("wasm/dist").join(folder);
    let mut files: Vec<_> = fs::read_dir(made)
        .map_err(|error| unwritable(made, &error))?
        .flatten()
        .map(|file| file.file_name())
        .collect();
    files.sort();
    let mut travels = Vec::new();
    for file in files {
        artifact::place(&made.join(&file), &placed.join(&file))?;
        let name = file.to_string_lossy();
        if name.ends_with(".js") || name.ends_with(".wasm") {
            let sizes = wasm::sizes(&placed.join(&file));
            travels.push(format!("{name} {sizes}"));
        }
    }
    steps.note(&format!("wasm/dist/{folder}: {}", travels.join(", ")));
    Ok(())
}

fn manifest(folder: &str) -> String {
    let runs = if folder == "node" {
        "Node"
    } else {
        "browsers and bundlers"
    };
    let version = env!("CARGO_PKG_VERSION");
    format!(
        r#"{{
  "name": "fulmar-{folder}",
  "version": "{version}",
  "description": "The rules of Fulmar, for {runs}",
  "license": "Apache-2.0 OR MIT",
  "private": true,
  "type": "module",
  "main": "fulmar.js",
  "types": "fulmar.d.ts",
  "sideEffects": false
}}
"#
    )
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("{}: {error}", path.display()),
        "is the disk full, or the folder another user's?",
    )
}

#[cfg(test)]
mod tests {
    use super::{FOLDERS, manifest};

    #[test]
    fn manifests_are_json() {
        for folder in FOLDERS {
            let json: serde_json::Value = serde_json::from_str(&manifest(folder)).unwrap();
            assert_eq!(json["main"], "fulmar.js");
        }
    }
}
