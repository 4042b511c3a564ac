//! `net`: a unikernel with one network device, `service`, where it is 10.0.0.2. The arguments are [`station`]'s.
#![no_std]
#![no_main]

mod station;

use solo5::{Boot, Kind};

solo5::entry!(net, [("service", Kind::Net)]);

fn net(boot: Boot) -> u8 {
    station::obey(&boot, ["service"])
}
