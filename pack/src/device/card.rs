//! The trust record on a smart card: a transparent elementary file, read with the commands of ISO/IEC 7816-4 over a transport.

use crate::trust_card;

/// The application directory file that holds the record: a file identifier of our own below the master file.
pub const FILE_ID: [u8; 2] = [0x5E, 0xA1];
/// The largest elementary file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 0x7fff;

/// What carries commands to a card and answers back.
pub trait Transport: Send {
    /// Sends a command and gives the answer: data, and two status bytes at its end.
    ///
    /// # Errors
    /// What went wrong on the way, in words.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, String>;
}

/// A card gave no trust record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The reader or the card is gone.
    #[error("cannot talk with the card: {0}")]
    Transport(String),
    /// An answer without its status bytes.
    #[error("the card answers with {0} bytes, expected two status bytes at least")]
    Short(usize),
    /// The card refused.
    #[error("the card answers {what} with status {status:04X}")]
    Status {
        /// Which command.
        what: &'static str,
        /// The status bytes.
        status: u16,
    },
    /// The file is larger than any record.
    #[error("the file has more than {MAX_FILE_BYTES} bytes")]
    TooLong,
    /// What the file holds.
    #[error(transparent)]
    Content(#[from] trust_card::Error),
}

/// The trust file on a card: selects the master file, then [`FILE_ID`], and reads all of it.
///
/// # Errors
/// See [`Error`].
pub fn read_trust(card: &mut dyn Transport) -> Result<Vec<u8>, Error> {
    select(card, [0x3F, 0x00])?;
    select(card, FILE_ID)?;
    let content = read_binary(card)?;
    Ok(trust_card::read(&content)?.to_vec())
}

/// SELECT by file identifier (ISO/IEC 7816-4 section 11.2.2), without file control information.
fn select(card: &mut dyn Transport, id: [u8; 2]) -> Result<(), Error> {
    let (_, status) = transmit(card, &[0x00, 0xA4, 0x00, 0x0C, 0x02, id[0], id[1]])?;
    match status {
        // 61xx: there is information about the file that nobody asked for.
        0x9000 | 0x6100..=0x61FF => Ok(()),
        status => Err(Error::Status { what: "SELECT", status }),
    }
}

/// READ BINARY (section 11.3.3) until the file ends.
fn read_binary(card: &mut dyn Transport) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    loop {
        let Ok(offset) = u16::try_from(content.len()) else { return Err(Error::TooLong) };
        let [high, low] = offset.to_be_bytes();
        if usize::from(offset) >= MAX_FILE_BYTES {
            return Err(Error::TooLong);
        }
        let (mut data, mut status) = transmit(card, &[0x00, 0xB0, high, low, 0x00])?;
        if let 0x6C00..=0x6CFF = status {
            // The right length, please.
            (data, status) = transmit(card, &[0x00, 0xB0, high, low, status.to_be_bytes()[1]])?;
        }
        match status {
            0x9000 if data.is_empty() => return Ok(content),
            0x9000 => content.extend(data),
            // The end came before as many bytes as were asked for.
            0x6282 => {
                content.extend(data);
                return Ok(content);
            }
            // An offset behind the end, exactly where the file ends.
            0x6B00 if !content.is_empty() => return Ok(content),
            status => return Err(Error::Status { what: "READ BINARY", status }),
        }
    }
}

fn transmit(card: &mut dyn Transport, command: &[u8]) -> Result<(Vec<u8>, u16), Error> {
    let mut answer = card.transmit(command).map_err(Error::Transport)?;
    let status = answer.split_off(answer.len().checked_sub(2).ok_or(Error::Short(answer.len()))?);
    let status = u16::from_be_bytes([status[0], status[1]]);
    Ok((answer, status))
}

/// A reader of the system's smart card service.
#[cfg(feature = "pcsc")]
pub mod reader {
    use std::ffi::CString;

    use super::Transport;

    /// A card in a reader.
    pub struct Reader {
        card: pcsc::Card,
    }

    impl Reader {
        /// Connects to the card in a reader: the one whose name begins with `name`, or the first that has a card.
        ///
        /// # Errors
        /// There is no service, no such reader, or no card; in words.
        pub fn connect(name: &str) -> Result<Self, String> {
            let context = pcsc::Context::establish(pcsc::Scope::User).map_err(|error| format!("the smart card service: {error}"))?;
            let readers: Vec<CString> = context.list_readers_owned().map_err(|error| format!("the list of readers: {error}"))?;
            let mut last = format!("no reader begins with `{name}`");
            for reader in readers.iter().filter(|reader| reader.to_string_lossy().starts_with(name)) {
                match context.connect(reader, pcsc::ShareMode::Shared, pcsc::Protocols::ANY) {
                    Ok(card) => return Ok(Self { card }),
                    Err(error) => last = format!("{}: {error}", reader.to_string_lossy()),
                }
            }
            Err(last)
        }
    }

    impl Transport for Reader {
        fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, String> {
            let mut buffer = [0; pcsc::MAX_BUFFER_SIZE];
            self.card.transmit(command, &mut buffer).map(<[u8]>::to_vec).map_err(|error| error.to_string())
        }
    }
}

#[cfg(test)]
mod tests;
