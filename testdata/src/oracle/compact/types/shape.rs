//! Of which words a type consists (SPEC section 4.26).

/// What a word of a type is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    Name,
    Id,
    /// With its column.
    Plain(usize),
}

pub(super) fn kind(info: u32) -> u32 {
    (info >> 24) & 31
}

pub(super) fn members(info: u32) -> u32 {
    info & 0xFFFF
}

/// Words after the first three: once, and for each member.
pub(super) fn shape(kind: u32) -> (u32, u32) {
    match kind {
        1 | 14 | 17 => (1, 0),
        3 => (3, 0),
        4 | 5 | 15 | 19 => (0, 3),
        6 | 13 => (0, 2),
        _ => (0, 0),
    }
}

/// Words of a type.
pub(super) fn words(info: u32) -> u32 {
    let (once, each) = shape(kind(info));
    3 + once + each * members(info)
}

pub(super) fn role(kind: u32, i: u32) -> Role {
    match (kind, i) {
        (_, 0) => Role::Name,
        (_, 1) => Role::Plain(3),
        (2 | 8..=14 | 17 | 18, 2) => Role::Id,
        (_, 2) => Role::Plain(4),
        (3, 3 | 4) => Role::Id,
        (4 | 5 | 19, _) if i % 3 == 0 => Role::Name,
        (6 | 13, _) if i % 2 == 1 => Role::Name,
        (4 | 5, _) if i % 3 == 1 => Role::Id,
        (13, _) => Role::Id,
        (15, _) if i % 3 == 0 => Role::Id,
        (6, _) => Role::Plain(1),
        (4 | 5 | 15 | 19, _) => Role::Plain(if i % 3 == 1 { 1 } else { 2 }),
        _ => Role::Plain(0),
    }
}
