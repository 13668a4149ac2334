//! Package 0: the trigger with which a server asks a device to open a session.
//!
//! Layout, most significant bit first: digest (16 bytes), version (10 bits), user interaction (2), initiator (1), reserved (27),
//! session id (16), length of the server id (8), server id, vendor part. The digest covers everything after it.

use super::auth::Secret;

/// The MIME type of package 0.
pub const MIME_TYPE: &str = "application/vnd.syncml.notification";
/// [`MIME_TYPE`] as one byte of the Wireless Session Protocol.
pub const WSP_CONTENT_TYPE: u8 = 0x44;
/// The application id that a WAP push is addressed to.
pub const WAP_APPLICATION_ID: u8 = 0x07;
/// The port that a WAP push goes to.
pub const WAP_PUSH_PORT: u16 = 2948;
/// The nonce after the device has lost the one that it was given: four zero bytes. (One known client takes the text `0x00000000`.)
pub const RESYNCHRONISATION_NONCE: [u8; 4] = [0; 4];
/// The longest package 0 that is read, in bytes.
pub const MAX_BYTES: usize = 1024;

const DIGEST_BYTES: usize = 16;
const HEAD_BYTES: usize = 8;
/// Version 1.1, in ten bits.
const VERSION: u16 = 0b00_0000_1011;

/// How the device is to talk with its user about the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserInteraction {
    /// The server does not say.
    NotSpecified,
    /// Not at all.
    Background,
    /// Tell the user.
    Informative,
    /// Ask the user before the session.
    UserInteraction,
}

/// Who wanted the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// The user, or the device.
    Client,
    /// The server.
    Server,
}

/// A trigger was refused, or cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its length does not fit.
    #[error("package 0 has {actual} bytes, expected {expected}")]
    Length {
        /// What there is.
        actual: usize,
        /// What there must be.
        expected: &'static str,
    },
    /// Another version than 1.1.
    #[error("package 0 has version {0}, expected 11 (1.1)")]
    Version(u16),
    /// Bits are set that have no meaning yet.
    #[error("reserved bits of package 0 are set: 0x{0:07X}")]
    Reserved(u32),
    /// The session id is 0.
    #[error("session id 0 is not allowed")]
    SessionId,
    /// The server id is empty or not text.
    #[error("the server id is empty, too long or not UTF-8")]
    ServerId,
    /// The digest is wrong.
    #[error("the digest of package 0 is wrong")]
    Digest,
}

/// What package 0 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// How to talk with the user.
    pub user_interaction: UserInteraction,
    /// Who wanted the session.
    pub initiator: Initiator,
    /// The session to be opened, never 0.
    pub session_id: u16,
    /// Which server the device is to open it with. At most 255 bytes.
    pub server_id: String,
    /// Whatever the vendor puts there.
    pub vendor: Vec<u8>,
}

impl Notification {
    /// The session id as messages spell it: hexadecimal in capital letters, without leading zeros.
    #[must_use]
    pub fn session_id_text(&self) -> String {
        format!("{:X}", self.session_id)
    }

    /// Everything but the digest.
    ///
    /// # Errors
    /// A field has a value that there is no room for.
    pub fn trigger(&self) -> Result<Vec<u8>, Error> {
        let server_id = self.server_id.as_bytes();
        let length = u8::try_from(server_id.len()).ok().filter(|&length| length != 0).ok_or(Error::ServerId)?;
        if self.session_id == 0 {
            return Err(Error::SessionId);
        }
        let user_interaction: u64 = match self.user_interaction {
            UserInteraction::NotSpecified => 0,
            UserInteraction::Background => 1,
            UserInteraction::Informative => 2,
            UserInteraction::UserInteraction => 3,
        };
        let initiator: u64 = match self.initiator {
            Initiator::Client => 0,
            Initiator::Server => 1,
        };
        let head = u64::from(VERSION) << 54 | user_interaction << 52 | initiator << 51 | u64::from(self.session_id) << 8 | u64::from(length);
        let mut out = head.to_be_bytes().to_vec();
        out.extend_from_slice(server_id);
        out.extend_from_slice(&self.vendor);
        if DIGEST_BYTES + out.len() > MAX_BYTES {
            return Err(Error::Length { actual: DIGEST_BYTES + out.len(), expected: "at most 1024" });
        }
        Ok(out)
    }

    /// The whole package. `server` is the digest of the server's id and the server's password.
    ///
    /// # Errors
    /// As for [`Self::trigger`].
    pub fn write(&self, server: &Secret, nonce: &[u8]) -> Result<Vec<u8>, Error> {
        let trigger = self.trigger()?;
        let mut out = server.mac(nonce, &trigger).to_vec();
        out.extend_from_slice(&trigger);
        Ok(out)
    }

    /// Reads the whole package without looking at the digest: the server id says which secret to verify with.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(package: &[u8]) -> Result<Unverified<'_>, Error> {
        if package.len() > MAX_BYTES {
            return Err(Error::Length { actual: package.len(), expected: "at most 1024" });
        }
        let short = Error::Length { actual: package.len(), expected: "at least 24 and the server id" };
        let (digest, trigger) = package.split_first_chunk::<DIGEST_BYTES>().ok_or_else(|| short.clone())?;
        let (head, body) = trigger.split_first_chunk::<HEAD_BYTES>().ok_or_else(|| short.clone())?;
        let [v, flags, r0, r1, r2, s0, s1, length] = *head;
        let version = u16::from(v) << 2 | u16::from(flags >> 6);
        if version != VERSION {
            return Err(Error::Version(version));
        }
        let reserved = u32::from_be_bytes([flags & 0x07, r0, r1, r2]);
        if reserved != 0 {
            return Err(Error::Reserved(reserved));
        }
        let session_id = u16::from_be_bytes([s0, s1]);
        if session_id == 0 {
            return Err(Error::SessionId);
        }
        let server_id = body.get(..usize::from(length)).ok_or(short)?;
        let server_id = std::str::from_utf8(server_id).ok().filter(|id| !id.is_empty()).ok_or(Error::ServerId)?;
        let notification = Self {
            user_interaction: match flags >> 4 & 0x03 {
                0 => UserInteraction::NotSpecified,
                1 => UserInteraction::Background,
                2 => UserInteraction::Informative,
                _ => UserInteraction::UserInteraction,
            },
            initiator: if flags & 0x08 == 0 { Initiator::Client } else { Initiator::Server },
            session_id,
            server_id: server_id.to_owned(),
            vendor: body[usize::from(length)..].to_vec(),
        };
        Ok(Unverified { notification, digest: *digest, trigger })
    }
}

/// A notification whose digest nobody has looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified<'a> {
    notification: Notification,
    digest: [u8; DIGEST_BYTES],
    trigger: &'a [u8],
}

impl Unverified<'_> {
    /// Who says that it sent it.
    #[must_use]
    pub fn server_id(&self) -> &str {
        &self.notification.server_id
    }

    /// The notification, if one of the nonces makes its digest right. Try the nonce that the server was given last, then
    /// [`RESYNCHRONISATION_NONCE`] if the policy is to let a server start again.
    ///
    /// # Errors
    /// The digest is wrong.
    pub fn verify(self, server: &Secret, nonces: &[&[u8]]) -> Result<Notification, Error> {
        if nonces.iter().any(|nonce| server.verify_mac(nonce, self.trigger, &self.digest)) { Ok(self.notification) } else { Err(Error::Digest) }
    }
}

/// The headers that carry package 0 over a WAP push: user data header of the short message, then the session header up to the
/// content type and the application id. `transaction` is any byte.
#[must_use]
pub fn wap_push_headers(transaction: u8) -> ([u8; 7], [u8; 6]) {
    let [port_high, port_low] = WAP_PUSH_PORT.to_be_bytes();
    // Application port addressing, 16 bit: destination, then source, which is the registered port 9200 less 8816.
    let user_data = [0x06, 0x05, 0x04, port_high, port_low, 0xc0, 0x02];
    // Push, three bytes of headers: content type, `X-WAP-Application-ID`.
    let session = [transaction, 0x06, 0x03, 0x80 | WSP_CONTENT_TYPE, 0xaf, 0x80 | WAP_APPLICATION_ID];
    (user_data, session)
}

#[cfg(test)]
mod tests;
