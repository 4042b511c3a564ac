//! Values of options that have a written form of their own.
//!
//! Owns the punctuation (`0-3`, `data:disk1:4096`, `service:br0@00:80:41:0a:0b:0c`). What stands between it is read by the
//! core's types, whose sentences are the errors.

use std::error::Error;

use fulmar_core::{Amount, BlockDevice, Bridge, CpuId, CpuSet, DeviceName, Label, Mac, NetDevice, SectorSize};

type Wrong = Box<dyn Error + Send + Sync>;

/// A count or a size in MiB.
pub(super) fn amount(text: &str) -> Result<Amount, Wrong> {
    Ok(Amount::new(number(text)?)?)
}

/// One CPU, `8`, or a run of them, `0-3`.
pub(super) fn cpus(text: &str) -> Result<CpuSet, Wrong> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (CpuId::new(number(first)?)?, CpuId::new(number(last)?)?);
    if first > last {
        return Err(format!("`{text}` counts down: write `{}-{}`", last.get(), first.get()).into());
    }
    Ok((first.get()..=last.get())
        .map(|id| CpuId::new(id.into()))
        .collect::<Result<_, _>>()?)
}

/// `DEV[:HOST[:SECTOR]]`
pub(super) fn block_device(text: &str) -> Result<BlockDevice, Wrong> {
    let mut parts = text.splitn(3, ':');
    let device = DeviceName::new(parts.next().unwrap_or_default())?;
    let host = parts.next().map(Label::new).transpose()?;
    let sector_size = parts.next().map(sector_size).transpose()?;
    Ok(match host {
        None => BlockDevice::same_name(device)?,
        Some(host) => BlockDevice {
            device,
            host,
            sector_size,
        },
    })
}

fn sector_size(text: &str) -> Result<SectorSize, Wrong> {
    Ok(SectorSize::new(number(text)?)?)
}

/// `DEV[:BRIDGE][@MAC]`
pub(super) fn net_device(text: &str) -> Result<NetDevice, Wrong> {
    let (names, mac) = match text.split_once('@') {
        Some((names, mac)) => (names, Some(mac.parse::<Mac>()?)),
        None => (text, None),
    };
    let (device, bridge) = match names.split_once(':') {
        Some((device, bridge)) => (device, Some(Bridge::new(bridge)?)),
        None => (names, None),
    };
    let device = DeviceName::new(device)?;
    Ok(match bridge {
        None => NetDevice {
            mac,
            ..NetDevice::same_name(device)?
        },
        Some(bridge) => NetDevice { device, bridge, mac },
    })
}

fn number(text: &str) -> Result<u64, Wrong> {
    text.parse()
        .map_err(|_| format!("`{}` is no whole number, 0 or more", text.escape_debug()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence<T: std::fmt::Debug>(read: Result<T, Wrong>) -> String {
        read.unwrap_err().to_string()
    }

    #[test]
    fn cpus_are_written_alone_or_in_runs() {
        assert_eq!(cpus("8").unwrap().to_string(), "8");
        assert_eq!(cpus("0-3").unwrap().to_string(), "0-3");
        assert_eq!(sentence(cpus("3-0")), "`3-0` counts down: write `0-3`");
        assert_eq!(sentence(cpus("0-x")), "`x` is no whole number, 0 or more");
        assert_eq!(sentence(cpus("0-9999")), "the CPU id 9999 is too large: at most 8191");
    }

    #[test]
    fn amounts_are_whole_and_bounded() {
        assert_eq!(amount("512").unwrap(), Amount::from(512));
        assert_eq!(sentence(amount("-1000")), "`-1000` is no whole number, 0 or more");
        assert_eq!(sentence(amount("1G")), "`1G` is no whole number, 0 or more");
        assert_eq!(
            sentence(amount("9007199254740992")),
            "the amount 9007199254740992 is too large: at most 9007199254740991"
        );
    }

    #[test]
    fn a_block_device_is_named_inside_then_outside() {
        for (text, host, sector_bytes) in [
            ("data", "data", None),
            ("data:disk-1", "disk-1", None),
            ("data:disk-1:4096", "disk-1", Some(4096)),
        ] {
            let block = block_device(text).unwrap();
            assert_eq!(block.device.as_str(), "data");
            assert_eq!(block.host.as_str(), host);
            assert_eq!(block.sector_size.map(SectorSize::bytes), sector_bytes);
        }
        assert_eq!(
            sentence(block_device("data:disk:1000")),
            "a sector size of 1000 bytes is not possible: use a power of two from 512 to 32768"
        );
    }

    #[test]
    fn a_network_device_may_have_a_bridge_and_an_address() {
        for (text, bridge, mac) in [
            ("service", "service", None),
            ("service:br0", "br0", None),
            ("service@00:80:41:0a:0b:0c", "service", Some("00:80:41:0a:0b:0c")),
            ("service:br0@00:80:41:0a:0b:0c", "br0", Some("00:80:41:0a:0b:0c")),
        ] {
            let net = net_device(text).unwrap();
            assert_eq!(net.device.as_str(), "service");
            assert_eq!(net.bridge.as_str(), bridge);
            assert_eq!(net.mac.map(|mac| mac.to_string()).as_deref(), mac);
        }
        assert_eq!(
            sentence(net_device("service:br0@00:80")),
            "`00:80` is no MAC address: write it like `00:80:41:0a:0b:0c`"
        );
    }
}
