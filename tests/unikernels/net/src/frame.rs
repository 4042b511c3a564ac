//! Ethernet frames and the answers to them, made in place: ARP requests and ICMP echo requests, over IPv4.
//!
//! Options, fragments and VLANs are not answered.

const ARP: [u8; 2] = [0x08, 0x06];
const IPV4: [u8; 2] = [0x08, 0x00];
const ARP_REQUEST: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, 1]; // for IPv4 over Ethernet
const ARP_REPLY: u8 = 2;
const IPV4_WITHOUT_OPTIONS: u8 = 0x45;
const PROTOCOL_ICMP: u8 = 1;
const ECHO_REQUEST: [u8; 2] = [8, 0];

const ARP_BYTES: usize = 14 + 28;
const ECHO_BYTES: usize = 14 + 20 + 8;

/// Who answers.
pub(crate) struct Station {
    pub(crate) mac: [u8; 6],
    pub(crate) ip: [u8; 4],
}

/// What was answered.
#[derive(PartialEq, Eq)]
pub(crate) enum Answer {
    Arp,
    Pong,
}

impl Station {
    /// Turns a request into its answer; leaves everything else alone.
    pub(crate) fn answer(&self, frame: &mut [u8]) -> Option<Answer> {
        let answer = if self.is_arp_request(frame) {
            self.arp(frame);
            Answer::Arp
        } else if self.is_ping(frame) {
            pong(frame);
            Answer::Pong
        } else {
            return None;
        };
        frame.copy_within(6..12, 0);
        frame[6..12].copy_from_slice(&self.mac);
        Some(answer)
    }

    fn is_arp_request(&self, frame: &[u8]) -> bool {
        frame.len() >= ARP_BYTES && frame[12..14] == ARP && frame[14..22] == ARP_REQUEST && frame[38..42] == self.ip
    }

    /// The sender becomes the target, and this station the sender.
    fn arp(&self, frame: &mut [u8]) {
        frame[21] = ARP_REPLY;
        frame.copy_within(22..32, 32);
        frame[22..28].copy_from_slice(&self.mac);
        frame[28..32].copy_from_slice(&self.ip);
    }

    fn is_ping(&self, frame: &[u8]) -> bool {
        frame.len() >= ECHO_BYTES
            && frame[..6] == self.mac
            && frame[12..14] == IPV4
            && frame[14] == IPV4_WITHOUT_OPTIONS
            && frame[20] & 0x3f == 0 // no fragment
            && frame[21] == 0
            && frame[23] == PROTOCOL_ICMP
            && frame[30..34] == self.ip
            && frame[34..36] == ECHO_REQUEST
    }
}

/// Only the type changes besides the addresses, which sum up to the same, so the checksum follows from the old one.
fn pong(frame: &mut [u8]) {
    let (mut source, mut destination) = ([0; 4], [0; 4]);
    source.copy_from_slice(&frame[26..30]);
    destination.copy_from_slice(&frame[30..34]);
    frame[26..30].copy_from_slice(&destination);
    frame[30..34].copy_from_slice(&source);
    frame[34] = 0;
    let checksum = u16::from_be_bytes([frame[36], frame[37]]);
    let (sum, carry) = checksum.overflowing_add(0x0800);
    frame[36..38].copy_from_slice(&(sum + u16::from(carry)).to_be_bytes());
}
