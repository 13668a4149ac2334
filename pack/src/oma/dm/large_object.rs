//! Objects that do not fit into one message: parts with `MoreData`, put together again and checked against their size.

use super::{Data, Item, Meta, status};

/// Why parts do not make an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The first part does not say how large the object is.
    #[error("the first part of `{0}` has no size")]
    NoSize(String),
    /// A later part says how large the object is.
    #[error("a later part of `{0}` has a size too")]
    SizeAgain(String),
    /// The parts are together of another size.
    #[error("`{uri}` has {actual} bytes, announced were {expected}")]
    SizeMismatch {
        /// The node.
        uri: String,
        /// What was announced, in bytes.
        expected: u64,
        /// What there is, in bytes.
        actual: u64,
    },
    /// Larger than the receiver takes.
    #[error("`{uri}` has {actual} bytes, at most {allowed} are taken")]
    TooLarge {
        /// The node.
        uri: String,
        /// What was announced or has come, in bytes.
        actual: u64,
        /// What is taken, in bytes.
        allowed: u64,
    },
    /// Something else came before the last part.
    #[error("`{expected}` is not complete and `{found}` begins")]
    Interrupted {
        /// The node that is not complete.
        expected: String,
        /// What came.
        found: String,
    },
    /// A part that cannot be one: a tree, no node, or text and raw bytes mixed.
    #[error("a part of `{0}` cannot be put to the others")]
    Part(String),
}

impl ObjectError {
    /// The status for the command with the part. Where it is [`Self::Interrupted`], alert 1225 goes with the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::SizeMismatch { .. } => status::SIZE_MISMATCH,
            Self::TooLarge { .. } => status::REQUEST_ENTITY_TOO_LARGE,
            Self::NoSize(_) | Self::SizeAgain(_) | Self::Part(_) => status::BAD_REQUEST,
            Self::Interrupted { .. } => status::COMMAND_FAILED,
        }
    }
}

/// Cuts an item into parts.
#[derive(Debug, Clone)]
pub struct Splitter {
    item: Item,
    at: usize,
    is_first: bool,
    is_done: bool,
}

impl Splitter {
    /// For an item with text or raw bytes.
    #[must_use]
    pub fn new(item: Item) -> Self {
        Self { item, at: 0, is_first: true, is_done: false }
    }

    /// The next part, with at most `room_bytes` of content (at least one character is taken, so that it ends). `None` at the end.
    /// Base64 may be cut anywhere.
    pub fn next_part(&mut self, room_bytes: usize) -> Option<Item> {
        if self.is_done {
            return None;
        }
        let (data, rest) = match &self.item.data {
            Some(Data::Text(text)) => {
                let rest = &text[self.at..];
                let end = cut(rest, room_bytes);
                (Data::Text(rest[..end].to_owned()), rest.len() - end)
            }
            Some(Data::Bytes(bytes)) => {
                let rest = &bytes[self.at..];
                let end = rest.len().min(room_bytes.max(1));
                (Data::Bytes(rest[..end].to_vec()), rest.len() - end)
            }
            Some(Data::Tree(_)) | None => {
                self.is_done = true;
                return Some(self.item.clone());
            }
        };
        let whole = self.item.data.as_ref().and_then(Data::sent_bytes);
        let size_bytes = if self.is_first && rest != 0 { whole } else { None };
        self.at += data.sent_bytes().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        self.is_first = false;
        self.is_done = rest == 0;
        let meta = Meta { size_bytes, ..self.item.meta.clone() };
        Some(Item { meta, data: Some(data), more_data: rest != 0, ..self.item.clone() })
    }
}

/// How many bytes of the text make up to `room` bytes of whole characters, at least one character.
fn cut(text: &str, room: usize) -> usize {
    if text.len() <= room {
        return text.len();
    }
    let end = (0..=room).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    if end > 0 { end } else { text.chars().next().map_or(0, char::len_utf8) }
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was the last one, or the only one: the item as if it had come in one part.
    Complete(Box<Item>),
    /// Answer with status 213, and 1222 for the next message.
    More,
}

/// Puts parts together. One object at a time, as the protocol has it.
#[derive(Debug, Clone)]
pub struct Reassembler {
    max_object_bytes: u64,
    open: Option<Open>,
}

#[derive(Debug, Clone)]
struct Open {
    item: Item,
    expected: u64,
}

impl Reassembler {
    /// For objects of at most that many bytes as sent: what `MaxObjSize` said.
    #[must_use]
    pub fn new(max_object_bytes: u64) -> Self {
        Self { max_object_bytes, open: None }
    }

    /// Whether an object is not complete.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Forgets the object that is not complete, where something else came: its node for alert 1225.
    pub fn interrupt(&mut self) -> Option<String> {
        self.open.take().map(|open| node(&open.item))
    }

    /// Takes the next part. After an error the object is forgotten, and nothing of it counts.
    ///
    /// # Errors
    /// The part does not belong, or the object is not of its size.
    pub fn push(&mut self, part: &Item) -> Result<Outcome, ObjectError> {
        let uri = node(part);
        let Some(mut open) = self.open.take() else {
            return self.first(part, uri);
        };
        let expected = node(&open.item);
        if expected != uri {
            return Err(ObjectError::Interrupted { expected, found: uri });
        }
        if part.meta.size_bytes.is_some() {
            return Err(ObjectError::SizeAgain(uri));
        }
        match (&mut open.item.data, &part.data) {
            (Some(Data::Text(whole)), Some(Data::Text(part))) => whole.push_str(part),
            (Some(Data::Bytes(whole)), Some(Data::Bytes(part))) => whole.extend_from_slice(part),
            _ => return Err(ObjectError::Part(uri)),
        }
        let actual = open.item.data.as_ref().and_then(Data::sent_bytes).unwrap_or(u64::MAX);
        let is_complete = !part.more_data;
        if actual > open.expected || is_complete && actual != open.expected {
            return Err(ObjectError::SizeMismatch { uri, expected: open.expected, actual });
        }
        if is_complete {
            open.item.more_data = false;
            return Ok(Outcome::Complete(Box::new(open.item)));
        }
        self.open = Some(open);
        Ok(Outcome::More)
    }

    fn first(&mut self, part: &Item, uri: String) -> Result<Outcome, ObjectError> {
        let allowed = self.max_object_bytes;
        let actual = part.data.as_ref().and_then(Data::sent_bytes);
        if let Some(actual) = actual.filter(|&actual| actual > allowed) {
            return Err(ObjectError::TooLarge { uri, actual, allowed });
        }
        if !part.more_data {
            // One part: the size may be said, and then it counts.
            return match (part.meta.size_bytes, actual) {
                (Some(expected), Some(actual)) if expected != actual => Err(ObjectError::SizeMismatch { uri, expected, actual }),
                _ => Ok(Outcome::Complete(Box::new(part.clone()))),
            };
        }
        let Some(actual) = actual.filter(|_| !uri.is_empty()) else {
            return Err(ObjectError::Part(uri));
        };
        let Some(expected) = part.meta.size_bytes else {
            return Err(ObjectError::NoSize(uri));
        };
        if expected > allowed {
            return Err(ObjectError::TooLarge { uri, actual: expected, allowed });
        }
        if actual > expected {
            return Err(ObjectError::SizeMismatch { uri, expected, actual });
        }
        self.open = Some(Open { item: part.clone(), expected });
        Ok(Outcome::More)
    }
}

fn node(item: &Item) -> String {
    item.target.as_ref().or(item.source.as_ref()).map(|location| location.uri.clone()).unwrap_or_default()
}
