//! Words that generator and applier share about the parts of a patch body.

/// A copy that is announced inside the body, where it starts, instead of in the segment list: it owns no addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inline {
    /// First byte of the new image that it makes.
    pub new: u32,
    /// Bytes.
    pub length: u32,
    /// Where they come from.
    pub from: From,
}

/// The source of an inline copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The old image, at this offset.
    Old(u32),
    /// The byte before, repeated.
    Repeat,
}

/// What bits are spent on; only statistics see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The segment list.
    Segments,
    /// Announcing inline copies.
    Inlines,
    /// Whether whole lines are as predicted.
    Lines,
    /// Whether a byte is as predicted.
    Hits,
    /// What a mispredicted byte is instead.
    Misses,
    /// Bytes without a prediction.
    Literals,
    /// The order of types.
    Order,
    /// Types.
    Types,
    /// Strings of types.
    Texts,
}
