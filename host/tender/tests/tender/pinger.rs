//! Asks a unikernel for its address and pings it, frame by frame, and compares each answer to the last byte.
//!
//! Knows Ethernet, ARP, IPv4 and ICMP as far as a ping needs them; the wire is [`lab`](crate::lab)'s.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::lab::Wire;

type Mac = [u8; 6];
type Ip = [u8; 4];

const OUR_MAC: Mac = [2, 0, 0, 0, 0, 1];
const BROADCAST: Mac = [0xff; 6];
const ARP: [u8; 2] = [0x08, 0x06];
const IPV4: [u8; 2] = [0x08, 0x00];
const HEADERS_BYTES: usize = 20 + 8; // IPv4 and ICMP
const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;

/// As many pings are on their way at once; far fewer than a tap's queue holds.
const WINDOW: usize = 32;

/// A tap takes nothing before a tender holds it, so the first question may be lost.
const ASK_AGAIN: Duration = Duration::from_millis(20);
const ASK_NO_MORE: Duration = Duration::from_secs(10);

/// A unikernel's station that has answered.
pub(crate) struct Peer<'a> {
    wire: &'a Wire,
    network: u8,
    mac: Mac,
    introduction: Vec<u8>,
    sent: u32,
    expected: VecDeque<Vec<u8>>,
}

impl<'a> Peer<'a> {
    /// Asks for `10.network.0.2` until it answers.
    pub(crate) fn find(wire: &'a Wire, network: u8) -> Self {
        let question = arp(BROADCAST, 1, (OUR_MAC, our_ip(network)), ([0; 6], its_ip(network)));
        let started = Instant::now();
        while started.elapsed() < ASK_NO_MORE {
            wire.send(&question);
            let Some(answer) = wire.receive(ASK_AGAIN) else {
                continue;
            };
            let mac = *answer[6..].first_chunk().unwrap();
            let introduction = arp(OUR_MAC, 2, (mac, its_ip(network)), (OUR_MAC, our_ip(network)));
            assert_eq!(answer, introduction);
            return Self {
                wire,
                network,
                mac,
                introduction,
                sent: 0,
                expected: VecDeque::new(),
            };
        }
        panic!("nobody answers for {:?}", its_ip(network));
    }

    pub(crate) fn mac(&self) -> Mac {
        self.mac
    }

    /// Sends one more ping, of a packet of so many bytes, after waiting for an answer if many are due.
    pub(crate) fn ping(&mut self, packet_bytes: usize) {
        if self.expected.len() == WINDOW {
            self.check_answer();
        }
        let (mac, network, number) = (self.mac, self.network, self.sent);
        let ends = (our_ip(network), its_ip(network));
        self.wire
            .send(&echo((OUR_MAC, mac), ends, ECHO_REQUEST, number, packet_bytes));
        let answer = echo((mac, OUR_MAC), (ends.1, ends.0), ECHO_REPLY, number, packet_bytes);
        self.expected.push_back(answer);
        self.sent += 1;
    }

    /// Waits for all answers that are due.
    pub(crate) fn finish(&mut self) {
        while !self.expected.is_empty() {
            self.check_answer();
        }
    }

    /// The next frame that is no answer to a question that was asked again meanwhile.
    pub(crate) fn next_frame(&self, what: &str) -> Vec<u8> {
        loop {
            let frame = self.wire.expect(what);
            if frame != self.introduction {
                return frame;
            }
        }
    }

    fn check_answer(&mut self) {
        let expected = self.expected.pop_front().unwrap();
        let number = self.sent as usize - self.expected.len();
        let answer = self.next_frame(&format!("answer {number} from network {}", self.network));
        assert!(
            answer == expected,
            "answer {number} has {} bytes, expected {}:\n{:x?}\n{:x?}",
            answer.len(),
            expected.len(),
            &answer[..answer.len().min(64)],
            &expected[..64.min(expected.len())]
        );
    }
}

/// A frame for nobody's protocol: so many bytes, from us to `mac`, tagged for a VLAN or not.
pub(crate) fn plain_frame(mac: Mac, tagged: bool, bytes: usize) -> Vec<u8> {
    const EXPERIMENTAL: [u8; 2] = [0x88, 0xb5];
    let tag: &[u8] = if tagged { &[0x81, 0x00, 0x00, 0x07] } else { &[] };
    let mut frame = [&mac, &OUR_MAC, tag, &EXPERIMENTAL].concat();
    frame.resize(bytes, 0x5a);
    frame
}

fn our_ip(network: u8) -> Ip {
    [10, network, 0, 1]
}

fn its_ip(network: u8) -> Ip {
    [10, network, 0, 2]
}

fn arp(destination: Mac, operation: u8, sender: (Mac, Ip), target: (Mac, Ip)) -> Vec<u8> {
    let mut frame = [&destination[..], &sender.0, &ARP].concat();
    frame.extend([0, 1, 8, 0, 6, 4, 0, operation]);
    for (mac, ip) in [sender, target] {
        frame.extend(mac);
        frame.extend(ip);
    }
    frame
}

/// An echo request or reply from the first of each pair to the second.
fn echo(macs: (Mac, Mac), ips: (Ip, Ip), kind: u8, number: u32, packet_bytes: usize) -> Vec<u8> {
    let total = u16::try_from(packet_bytes).unwrap().to_be_bytes();
    let mut ip = vec![0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, 1, 0, 0];
    ip.extend(ips.0);
    ip.extend(ips.1);
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum);

    let mut icmp = vec![kind, 0, 0, 0];
    icmp.extend(number.to_be_bytes()); // identifier and sequence number
    let payload = (number..)
        .map(|byte| byte.to_le_bytes()[0])
        .take(packet_bytes - HEADERS_BYTES);
    icmp.extend(payload);
    let sum = checksum(&icmp);
    icmp[2..4].copy_from_slice(&sum);
    [&macs.1[..], &macs.0, &IPV4, &ip, &icmp].concat()
}

/// The Internet's: the complement of the one's complement sum of all 16-bit words.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let (words, rest) = bytes.as_chunks::<2>();
    let last = rest.first().map_or(0, |&byte| u32::from(byte) << 8);
    let sum = words
        .iter()
        .fold(last, |sum, &word| sum + u32::from(u16::from_be_bytes(word)));
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    (!u16::try_from(folded).unwrap()).to_be_bytes()
}

#[test]
fn the_checksum_is_that_of_rfc_1071() {
    assert_eq!(
        checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
        [0x22, 0x0d]
    );
    assert_eq!(checksum(&[0xff, 0xff, 0x01]), [0xfe, 0xff]);
}
