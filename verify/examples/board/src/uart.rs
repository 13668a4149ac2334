//! The serial lines (CMSDK APB UART), without interrupts.

use core::fmt;

use crate::register;

/// A serial line.
#[derive(Clone, Copy, Debug)]
pub struct Uart(usize);

/// The console.
pub const CONSOLE: Uart = Uart(0x4000_4000);
/// The line that packages come on.
pub const LINK: Uart = Uart(0x4000_5000);

const DATA: usize = 0;
const STATE: usize = 4;
const CONTROL: usize = 8;
const DIVIDER: usize = 16;

const TRANSMITTER_FULL: u32 = 1;
const RECEIVER_FULL: u32 = 2;

impl Uart {
    /// Switches transmitter and receiver on.
    pub fn start(self) {
        // SAFETY: registers of a UART of this board, which nothing else uses while a bootloader runs.
        unsafe {
            register(self.0 + DIVIDER).write_volatile(217);
            register(self.0 + CONTROL).write_volatile(3);
        }
    }

    /// Sends a byte.
    pub fn put(self, byte: u8) {
        // SAFETY: as in `start`.
        unsafe {
            while register(self.0 + STATE).read_volatile() & TRANSMITTER_FULL != 0 {}
            register(self.0 + DATA).write_volatile(byte.into());
        }
    }

    /// A byte that has arrived.
    #[must_use]
    pub fn get(self) -> Option<u8> {
        // SAFETY: as in `start`. Reading the data register takes the byte.
        unsafe {
            let full = register(self.0 + STATE).read_volatile() & RECEIVER_FULL != 0;
            full.then(|| register(self.0 + DATA).read_volatile().to_le_bytes()[0])
        }
    }

    /// Sends a text.
    pub fn print(self, text: &str) {
        for byte in text.bytes() {
            self.put(byte);
        }
    }

    /// Sends a number in decimal form. Formatting by `core::fmt` would weigh more than the rest of the bootloader's own code.
    pub fn print_number(self, number: u32) {
        let mut digits = [0; 10];
        let mut count = 0;
        let mut rest = number;
        for digit in &mut digits {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            count += 1;
            if rest == 0 {
                break;
            }
        }
        for digit in digits.iter().take(count).rev() {
            self.put(*digit);
        }
    }
}

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.print(text);
        Ok(())
    }
}
