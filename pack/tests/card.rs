//! The trust record on a smart card, through the system's smart card service and a virtual reader (Debian: `pcscd`, `vsmartcard-vpcd`).
//! The card is ours: the protocol of the virtual reader is two bytes of length, then a byte of control or a command.

#![cfg(feature = "pcsc")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use sealift::device::card::{FILE_ID, read_trust, reader::Reader};
use sealift::trust_card;

const LIBRARY: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
const PORT: u16 = 0x8C7B;
const ATR: [u8; 5] = [0x3B, 0x80, 0x80, 0x01, 0x01];

struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A card that holds one file.
fn card(mut stream: TcpStream, content: Vec<u8>) {
    let mut selected = [0, 0];
    loop {
        let mut head = [0; 2];
        if stream.read_exact(&mut head).is_err() {
            return;
        }
        let mut command = vec![0; usize::from(u16::from_be_bytes(head))];
        if stream.read_exact(&mut command).is_err() {
            return;
        }
        let answer = match command[..] {
            [4] => ATR.to_vec(),
            [_] => continue,
            [0, 0xA4, 0, 0x0C, 2, a, b] if [a, b] == [0x3F, 0] || [a, b] == FILE_ID => {
                selected = [a, b];
                vec![0x90, 0]
            }
            [0, 0xA4, ..] => vec![0x6A, 0x82],
            [0, 0xB0, high, low, length] if selected == FILE_ID => {
                let at = usize::from(u16::from_be_bytes([high, low]));
                let length = if length == 0 { 256 } else { usize::from(length) };
                match content.get(at..) {
                    Some(rest) if !rest.is_empty() => [&rest[..rest.len().min(length)], if rest.len() < length { &[0x62, 0x82] } else { &[0x90, 0] }].concat(),
                    _ => vec![0x6B, 0],
                }
            }
            _ => vec![0x6D, 0],
        };
        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
        if stream.write_all(&[&length[..], &answer].concat()).is_err() {
            return;
        }
    }
}

fn service(folder: &Path) -> Option<Service> {
    if !Path::new(LIBRARY).exists() {
        common::skipped("vsmartcard-vpcd");
        return None;
    }
    let readers = folder.join("readers");
    fs::create_dir(&readers).unwrap();
    let reader = format!("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x{PORT:04X}\nLIBPATH {LIBRARY}\nCHANNELID 0x{PORT:04X}\n");
    fs::write(readers.join("virtual"), reader).unwrap();
    if fs::create_dir_all("/run/pcscd").is_err() {
        common::skipped("the right to run pcscd");
        return None;
    }
    let mut command = Command::new("pcscd");
    command.args(["-f", "-i", "-c"]).arg(&readers).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(process) => Some(Service(process)),
        Err(_) => {
            common::skipped("pcscd");
            None
        }
    }
}

#[test]
fn a_record_comes_from_a_card_in_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_service) = service(folder.path()) else { return };
    let shop = common::Workshop::with_release();
    let trust = shop.read("trust");
    // The file is larger than one command reads.
    let content = trust_card::write(&trust, Some(700)).unwrap();
    let stream = (0..100).find_map(|_| {
        thread::sleep(Duration::from_millis(50));
        TcpStream::connect(("127.0.0.1", PORT)).ok()
    });
    let stream = stream.expect("the virtual reader listens");
    thread::spawn(move || card(stream, content));
    let mut last = String::new();
    let reader = (0..100).find_map(|_| {
        thread::sleep(Duration::from_millis(50));
        Reader::connect("Virtual PCD").map_err(|error| last = error).ok()
    });
    let mut reader = reader.unwrap_or_else(|| panic!("{last}"));
    assert_eq!(read_trust(&mut reader).unwrap(), trust);
    drop(reader);
    assert!(Reader::connect("No such reader").is_err());

    // The command, with the record on the card alone: what the card trusts is installed, after it was approved.
    let path = "dist/lamp-2.0-from-1.0.suit";
    shop.approve(path, "approved");
    fs::rename(shop.path("approved"), shop.path(path)).unwrap();
    let dist = sealift::serve::Dist::read(&shop.path("dist")).unwrap();
    let settings = sealift::serve::Settings::new(dist, vec![sealift::serve::Campaign::default()], folder.path().join("db"));
    let server = sealift::serve::Server::start(settings).unwrap();
    let url = format!("{}/dm", server.url());
    let said = shop.ok([
        "device",
        "--state",
        "device",
        "--url",
        &url,
        "--image",
        "old-1.0.bin",
        "--vendor",
        "example.com",
        "--class",
        "lamp-mk2",
        "--card",
        "Virtual PCD",
    ]);
    assert!(said.contains(": 200 (version 2.0 is installed)"), "{said}");
    assert!(!shop.exists("device/trust"));
}
