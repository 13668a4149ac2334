//! An emulated MPS2 AN385 with a bootloader in it: its console, and the link that packages come over
//! (`verify/examples/bootloader-rust/src/link.rs` has the protocol).

#![allow(unreachable_pub, reason = "a module of a test")]

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// An emulation that says nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of data in a frame.
const DATA: usize = 256;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Well.
    Done,
    /// With this code.
    Failed(u16),
    /// It was given up in the middle.
    Stopped,
}

pub struct Board {
    emulator: Child,
    console: UnixStream,
    /// What the console says, read as it comes: an emulation whose console nobody reads stands still.
    heard: Receiver<Vec<u8>>,
    link: UnixStream,
    monitor: UnixStream,
    /// What the console said since the last thing that was waited for.
    said: String,
    sent: usize,
}

#[derive(Debug)]
enum Frame {
    Ready,
    Wants(usize),
    Done,
    Failed(u16),
}

impl Board {
    /// Switches the board on.
    pub fn start(program: &Path, folder: &Path) -> Self {
        let mut command = Command::new("qemu-system-arm");
        command.args(["-M", "mps2-an385", "-display", "none", "-kernel"]).arg(program);
        for (name, option) in [("console", "-serial"), ("link", "-serial"), ("monitor", "-monitor")] {
            let socket = folder.join(name);
            let _ = std::fs::remove_file(&socket);
            command.arg("-chardev").arg(format!("socket,id={name},server=on,wait=on,path={}", socket.display()));
            command.arg(option).arg(format!("chardev:{name}"));
        }
        let emulator = command.stdin(Stdio::null()).spawn().expect("the emulator starts");
        let [console, link, monitor] = ["console", "link", "monitor"].map(|name| connect(&folder.join(name)));
        let (_, heard) = (listen(&monitor), listen(&console));
        Self { emulator, console, heard, link, monitor, said: String::new(), sent: 0 }
    }

    /// Waits until the console has said something.
    pub fn console_until(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            if let Some(at) = self.said.find(text) {
                self.said.drain(..at + text.len());
                return;
            }
            match self.heard.recv_timeout(Duration::from_millis(200)) {
                Ok(bytes) => self.said.push_str(&String::from_utf8_lossy(&bytes).replace('\r', "")),
                Err(RecvTimeoutError::Timeout) => assert!(start.elapsed() < PATIENCE, "no {text:?}; the console says\n{}", self.said),
                Err(RecvTimeoutError::Disconnected) => panic!("the emulation has ended before {text:?}; the console says\n{}", self.said),
            }
            assert!(!self.said.contains("panic\n") && !self.said.contains("fault"), "the console says\n{}", self.said);
        }
    }

    /// Waits until the bootloader takes requests.
    pub fn ready(&mut self) {
        loop {
            if let Frame::Ready = self.receive() {
                return;
            }
        }
    }

    /// Asks it to start the image, which must be of this version and find itself in order.
    pub fn starts(&mut self, version: &str) {
        self.send(b'B', &[]);
        self.console_until(&format!("sealift-demo-firmware {version}.0\n"));
        self.console_until(" passed, 0 failed");
        self.console_until("> ");
    }

    /// Asks it to start the image, where there is none.
    pub fn boot(&mut self) -> Answer {
        self.send(b'B', &[]);
        self.serve(&[], usize::MAX)
    }

    /// Restarts from the firmware's own console, until the bootloader takes requests.
    pub fn restart(&mut self) {
        self.console.write_all(b"reset\n").expect("the console takes it");
        self.console_until("sealift bootloader");
        self.ready();
    }

    /// Resets the board, until the bootloader takes requests.
    pub fn reset(&mut self) {
        self.monitor.write_all(b"system_reset\n").expect("the monitor takes it");
        self.console_until("sealift bootloader");
        self.ready();
    }

    /// Gives an empty device its first image.
    pub fn factory(&mut self, image: &[u8], sequence_floor: u32, security_counter: u32, digest: [u8; 32]) -> Answer {
        let size = u32::try_from(image.len()).expect("images are small");
        let mut content = [size, sequence_floor, security_counter].map(u32::to_le_bytes).concat();
        content.extend(digest);
        self.send(b'F', &content);
        self.serve(image, usize::MAX)
    }

    /// Gives it a package.
    pub fn install(&mut self, package: &[u8]) -> Answer {
        self.send(b'P', &[]);
        self.serve(package, usize::MAX)
    }

    /// Gives it the first bytes of a package.
    pub fn install_part(&mut self, package: &[u8], end: usize) {
        self.send(b'P', &[]);
        assert_eq!(self.serve(package, end), Answer::Stopped);
    }

    /// Bytes of images and packages sent so far.
    pub fn bytes_sent(&self) -> usize {
        self.sent
    }

    /// Sends what is asked for, until the request has ended or bytes from `end` on are asked for.
    fn serve(&mut self, bytes: &[u8], end: usize) -> Answer {
        let answer = loop {
            match self.receive() {
                Frame::Wants(offset) if offset >= end => return Answer::Stopped,
                Frame::Wants(offset) => {
                    assert!(offset < bytes.len(), "it wants byte {offset} of {}", bytes.len());
                    let data = &bytes[offset..bytes.len().min(offset + DATA)];
                    self.sent += data.len();
                    let offset = u32::try_from(offset).expect("packages are small").to_le_bytes();
                    self.send(b'D', &[&offset, data].concat());
                }
                Frame::Done => break Answer::Done,
                Frame::Failed(code) => break Answer::Failed(code),
                Frame::Ready => {}
            }
        };
        self.ready();
        answer
    }

    fn send(&mut self, kind: u8, content: &[u8]) {
        let length = u16::try_from(content.len()).expect("frames are short").to_le_bytes();
        let mut frame = [&[kind], &length[..], content].concat();
        frame.extend(crc_32(&frame).to_le_bytes());
        self.link.write_all(&frame).expect("the link takes it");
    }

    fn receive(&mut self) -> Frame {
        let head: [u8; 3] = self.bytes();
        let length = usize::from(u16::from_le_bytes([head[1], head[2]]));
        let mut frame = head.to_vec();
        for _ in 0..length {
            let [byte] = self.bytes();
            frame.push(byte);
        }
        let crc = u32::from_le_bytes(self.bytes());
        assert_eq!(crc, crc_32(&frame), "a damaged frame: {frame:x?}");
        match (head[0], &frame[3..]) {
            (b'R', []) => Frame::Ready,
            (b'W', &[a, b, c, d]) => Frame::Wants(u32::from_le_bytes([a, b, c, d]) as usize),
            (b'O', []) => Frame::Done,
            (b'X', &[a, b]) => Frame::Failed(u16::from_le_bytes([a, b])),
            _ => panic!("a frame of no known form: {frame:x?}"),
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let start = Instant::now();
        let mut filled = 0;
        while filled < N {
            match self.link.read(&mut bytes[filled..]) {
                Ok(0) => panic!("the emulation has ended"),
                Ok(length) => filled += length,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if start.elapsed() > PATIENCE {
                        let rest: Vec<u8> = self.heard.try_iter().flatten().collect();
                        panic!("nothing on the link; the console says\n{}{}", self.said, String::from_utf8_lossy(&rest));
                    }
                }
                Err(error) => panic!("the link: {error}"),
            }
        }
        bytes
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

fn connect(socket: &Path) -> UnixStream {
    let start = Instant::now();
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => {
                stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout can be set");
                return stream;
            }
            Err(error) => {
                assert!(start.elapsed() < PATIENCE, "{}: {error}", socket.display());
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// Reads a stream to its end, in a thread of its own.
fn listen(stream: &UnixStream) -> Receiver<Vec<u8>> {
    let mut stream = stream.try_clone().expect("a stream has a second handle");
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        loop {
            let mut bytes = [0; 1024];
            match stream.read(&mut bytes) {
                Ok(0) => break,
                // Nobody may listen: what is read keeps the emulation going all the same.
                Ok(length) => _ = sender.send(bytes[..length].to_vec()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                Err(_) => break,
            }
        }
    });
    receiver
}

/// CRC-32 (ISO-HDLC), bit by bit.
fn crc_32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xEDB8_8320 }))
}
