//! `net2`: as `net`, with two network devices: on `service0` it is 10.0.0.2, on `service1` 10.1.0.2.
#![no_std]
#![no_main]

mod station;

use solo5::{Boot, Kind};

solo5::entry!(net2, [("service0", Kind::Net), ("service1", Kind::Net)]);

fn net2(boot: Boot) -> u8 {
    station::obey(&boot, ["service0", "service1"])
}
