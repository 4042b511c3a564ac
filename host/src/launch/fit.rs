//! Whether an image can be run as it is asked for.
//!
//! Decides from the image's bytes and the footprint alone; the tender, which reads the same bytes with the same code, will not
//! think otherwise.

use fulmar_core::Unikernel;
use fulmar_tender::{DeviceKind, Image};

use crate::api::Failure;

/// Says what stands in the way, all of it where it is about devices.
pub(super) fn check(image: &[u8], unikernel: &Unikernel) -> Result<(), Failure> {
    let image = Image::parse(image).map_err(|error| invalid(format!("the image is no unikernel: {error}")))?;
    check_devices(&image, unikernel)?;
    image
        .check_fits(unikernel.memory_mib().get())
        .map_err(|error| invalid(error.to_string()))
}

fn check_devices(image: &Image, unikernel: &Unikernel) -> Result<(), Failure> {
    let declared = image.manifest().devices().iter();
    let mut wanted: Vec<_> = declared.map(|device| (device.name(), device.kind())).collect();
    wanted.sort_by_key(|(name, _)| *name);
    let mismatches = mismatches(&wanted, &asked(unikernel));
    if !mismatches.is_empty() {
        return Err(invalid(mismatches.join("; ")));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = wanted
        .iter()
        .map(|(name, kind)| format!("{kind} device `{name}`"))
        .collect();
    Err(Failure::Failed(format!(
        "this host does not attach devices yet: {}",
        names.join(", ")
    )))
}

/// The devices that are asked for, in the order of their names; a name may stand for one of each kind, as in an image.
fn asked(unikernel: &Unikernel) -> Vec<(&str, DeviceKind)> {
    let block = unikernel.block_devices().iter();
    let block = block.map(|block| (block.device.as_str(), DeviceKind::Block));
    let net = unikernel.bridges().iter();
    let net = net.map(|net| (net.device.as_str(), DeviceKind::Net));
    let mut asked: Vec<_> = block.chain(net).collect();
    asked.sort_by_key(|(name, _)| *name);
    asked
}

/// What the image declares and nobody asked for, then the other way round.
fn mismatches(wanted: &[(&str, DeviceKind)], asked: &[(&str, DeviceKind)]) -> Vec<String> {
    let missing = wanted.iter().filter(|device| !asked.contains(device));
    let missing = missing.map(|(name, kind)| format!("the image declares the {kind} device `{name}`: give it one"));
    let extra = asked.iter().filter(|device| !wanted.contains(device));
    let extra = extra.map(|(name, kind)| format!("the image declares no {kind} device `{name}`: leave it out"));
    missing.chain(extra).collect()
}

fn invalid(message: String) -> Failure {
    Failure::Invalid(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_that_does_not_match_is_named() {
        use DeviceKind::{Block, Net};
        assert_eq!(mismatches(&[], &[]), [""; 0]);
        let both = [("data", Block), ("data", Net)];
        assert_eq!(mismatches(&both, &both), [""; 0]);
        assert_eq!(mismatches(&[("data", Block)], &[("data", Block)]), [""; 0]);
        assert_eq!(
            mismatches(
                &[("data", Block), ("service", Net)],
                &[("data", Net), ("logs", Block), ("service", Net)]
            ),
            [
                "the image declares the block device `data`: give it one",
                "the image declares no network device `data`: leave it out",
                "the image declares no block device `logs`: leave it out",
            ]
        );
    }

    #[test]
    fn what_is_no_unikernel_is_refused() {
        let cpuids = [fulmar_core::CpuId::new(0).unwrap()].into_iter().collect();
        let unikernel = Unikernel::new(32.into(), cpuids).unwrap();
        let Err(Failure::Invalid(message)) = check(b"#!/bin/sh", &unikernel) else {
            panic!("it was taken")
        };
        assert!(message.starts_with("the image is no unikernel: "), "{message}");
    }
}
