//! Status codes of DM 1.2 that this crate sends or looks for.

/// Done; yes; the text was entered; something was selected.
pub const OK: u16 = 200;
/// Accepted, the outcome follows in a generic alert.
pub const ACCEPTED: u16 = 202;
/// Done, and the session needs no more credentials.
pub const AUTHENTICATED: u16 = 212;
/// A part of a large object has arrived.
pub const CHUNK_ACCEPTED: u16 = 213;
/// The user cancelled.
pub const CANCELLED: u16 = 214;
/// Not executed, because a command before it bypassed it.
pub const NOT_EXECUTED: u16 = 215;
/// The user said no.
pub const NOT_MODIFIED: u16 = 304;
/// The request is malformed. Recalled from the representation protocol, not verified.
pub const BAD_REQUEST: u16 = 400;
/// Wrong or missing credentials.
pub const INVALID_CREDENTIALS: u16 = 401;
/// No node of that name.
pub const NOT_FOUND: u16 = 404;
/// The command cannot be done on that node. Recalled, not verified.
pub const COMMAND_NOT_ALLOWED: u16 = 405;
/// Credentials are needed.
pub const MISSING_CREDENTIALS: u16 = 407;
/// An optional feature that is not there. Recalled, not verified.
pub const INCOMPLETE_COMMAND: u16 = 412;
/// The request is too large. Recalled from the representation protocol, not verified.
pub const REQUEST_ENTITY_TOO_LARGE: u16 = 413;
/// A media type or format that is not understood.
pub const UNSUPPORTED_MEDIA_TYPE: u16 = 415;
/// A node of that name is there already.
pub const ALREADY_EXISTS: u16 = 418;
/// A large object is not of the size that was announced.
pub const SIZE_MISMATCH: u16 = 424;
/// The command failed.
pub const COMMAND_FAILED: u16 = 500;
/// Another version of the document type. Recalled from the representation protocol, not verified.
pub const DTD_VERSION_NOT_SUPPORTED: u16 = 505;
/// Another version of the protocol. Recalled from the representation protocol, not verified.
pub const PROTOCOL_VERSION_NOT_SUPPORTED: u16 = 513;

/// Whether a code reports success.
#[must_use]
pub fn is_success(code: u16) -> bool {
    (200..300).contains(&code) && code != CANCELLED && code != NOT_EXECUTED
}
