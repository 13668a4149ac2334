//! Type information of a Linux kernel (a `.BTF` section), made from the old image's section type by type.
//!
//! The tool that writes the section numbers types and strings in the order in which its threads happened to meet them, so
//! two builds of nearly the same source differ in most of their bytes. Here the new order of the types is stated first, as
//! runs of the old order; type numbers are then translated, and strings get their places in the order in which types first
//! name them, which is the order the tool uses. What is left to say is what the source changed.
//!
//! Nothing here depends on the section being sound: a number that leads nowhere predicts nothing.

mod index;
mod make;
mod order;
mod text;

use crate::compact::arithmetic::Coder;
use crate::compact::model::Model;
use crate::compact::numbers::number;
use crate::compact::old_image::{OldImage, OldWindow};
use core::ops::{Deref, DerefMut};

/// Where a section lies in its image, and how long its parts are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Offset of the header in the image.
    pub at: u32,
    /// Bytes of types, a multiple of four; they follow the header.
    pub types: u32,
    /// Bytes of strings; they follow the types.
    pub strings: u32,
    /// How many types there are.
    pub count: u32,
}

/// Bytes of the section's header.
pub const HEADER: u32 = 24;
/// The header's first bytes: magic, version, flags, its length, and that types follow at once.
pub const START: [u8; 12] = [0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0];

impl Place {
    /// Bytes of the whole section.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        self.types.saturating_add(self.strings).saturating_add(HEADER)
    }

    fn first_type(&self) -> u32 {
        self.at.saturating_add(HEADER)
    }

    fn first_string(&self) -> u32 {
        self.first_type().saturating_add(self.types)
    }
}

/// What the shared code asks the encoder; a decoder's answers are not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Offset of the old (0) or new (1) section.
    At(u32),
    /// Bytes of types of the new section.
    Types,
    /// Bytes of strings of the new section.
    Strings,
    /// How many strings the old section has.
    TextCount,
    /// Types in the old or new section.
    Count(u32),
    /// The old number of the type that the new type with this number is made from, 0 for none.
    Template(u32),
    /// For a new type, its member: the template's member that it is made from and one, 0 for none.
    Member(u32, u32),
    /// The word at this offset of the new image.
    Word(u32),
    /// The byte at this offset of the new image.
    Byte(u32),
    /// Whether the old string at the first offset (in the old strings) is the new string at the second: 1 if so.
    SameText(u32, u32),
    /// Bytes of the new string at this offset.
    TextLength(u32),
    /// The number of the old string that equals the new string at this offset, and one; 0 for none.
    OldText(u32),
}

/// A type's kind and the number of its members, from its second word.
#[inline]
#[must_use]
pub fn kind(info: u32) -> u32 {
    (info >> 24) & 31
}

/// Words that follow a type's first three: once, and for each member.
#[must_use]
pub fn shape(kind: u32) -> (u32, u32) {
    match kind {
        1 | 14 | 17 => (1, 0),
        3 => (3, 0),
        4 | 5 | 15 | 19 => (0, 3),
        6 | 13 => (0, 2),
        _ => (0, 0),
    }
}

/// Words of a type.
#[must_use]
pub fn words(info: u32) -> u32 {
    let (once, each) = shape(kind(info));
    3 + once + each * (info & 0xffff)
}

/// What a word of a type means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Offset of a string.
    Name,
    /// Number of a type.
    Id,
    /// A plain number; which column of the members.
    Plain(u8),
}

/// What word `index` of a type of this kind means.
#[must_use]
pub fn role(kind: u32, index: u32) -> Role {
    match (kind, index) {
        (_, 0) => Role::Name,
        (_, 1) => Role::Plain(3),
        (2 | 8..=14 | 17 | 18, 2) => Role::Id,
        (_, 2) => Role::Plain(4),
        (3, 3 | 4) => Role::Id,
        (4 | 5 | 19, _) if index.is_multiple_of(3) => Role::Name,
        (6 | 13, _) if index % 2 == 1 => Role::Name,
        (4 | 5, _) if index % 3 == 1 => Role::Id,
        (13, _) => Role::Id,
        (15, _) if index.is_multiple_of(3) => Role::Id,
        (6, _) => Role::Plain(1),
        (4 | 5 | 15 | 19, _) => Role::Plain(if index % 3 == 1 { 1 } else { 2 }),
        _ => Role::Plain(0),
    }
}

/// Every this many types or strings, one is in the index.
const EVERY: u32 = 16;
/// Longest string that is looked through.
const LONGEST_TEXT: u32 = 4096;
/// Words predicted at once.
const CHUNK: usize = 15;
/// Interrupted runs that are remembered.
const CURSORS: usize = 128;
/// The bits of a word of the table that hold a number; kinds are above.
const NUMBER: u32 = (1 << 27) - 1;

/// Words of memory that the two sections need.
#[must_use]
pub fn memory(old: &Place, new: &Place, old_strings: u32) -> u32 {
    let tables = old.count.saturating_add(new.count).saturating_add(2).max(old_strings);
    tables.saturating_add(old_strings).saturating_add(old.count / EVERY).saturating_add(old_strings / EVERY).saturating_add(2)
}

mod field {
    pub(super) const JUMP: u32 = 9;
    pub(super) const NAME: u32 = 10;
    pub(super) const WIDE: u32 = 11;
    pub(super) const MEMBER: u32 = 14;
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is no section, or it is made.
    Done,
    /// The places are to be read: half of a number each step.
    Places { step: usize },
    /// Old types are being counted.
    Types { id: u32, at: u32 },
    /// Old strings are being counted.
    Strings { at: u32 },
    /// The order of the new types is being read.
    Order { id: u32 },
    /// The type `id` is not made from the `next` old one, nor from `asked` (0 for none): one of the interrupted runs from
    /// `place` on?
    Cursors { id: u32, next: u32, asked: u32, place: usize, rank: u32 },
    /// None of these either.
    Far { id: u32, next: u32 },
    /// The header is next.
    Header,
    /// A new type is next.
    Next { id: u32 },
    /// A type is being made.
    Type,
    /// A word of it is being read.
    Word(Ask),
    /// The strings are to be put in order.
    Sort,
    /// Strings are being made.
    Text { at: u32, next: u32, old: u32, left: u32 },
}

/// What is to be read of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// Whether it is as predicted.
    Right,
    /// In which way a name is given.
    Way,
    /// The upper half of the number.
    High { way: u32 },
    /// The lower half.
    Low { way: u32, high: u32 },
}

/// The type being made.
#[derive(Clone, Copy, Debug, Default)]
struct Making {
    id: u32,
    /// Offset of the template in the old image, and its second word; without template both are zero.
    template: u32,
    template_info: u32,
    /// Words made, and the new second word.
    index: u32,
    info: u32,
    /// Differs in members from the template.
    apart: bool,
    /// The template's next member.
    member: u32,
    /// By column: how much members moved.
    moved: [u32; 5],
    /// By column: the last value.
    last: [u32; 5],
    missed: u32,
    /// The template's word that the next word is made from.
    source: Option<u32>,
    /// Whether `source` was read for the member that is next.
    placed: bool,
    /// Words to be read one by one.
    slow: u32,
    /// The prediction of the word being read.
    guess: Guess,
}

/// A string's prediction.
#[derive(Clone, Copy, Debug, Default)]
struct Guess {
    value: u32,
    /// Number of the old string that gets its place here, and one.
    placed: u32,
    /// Its offset among the old strings.
    text: u32,
    length: u32,
}

/// The maker of a section, in memory that only devices with room for it have.
#[derive(Debug)]
pub struct Section<'a> {
    memory: &'a mut [u32],
    state: &'a mut State,
}

impl Deref for Section<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        self.state
    }
}

impl DerefMut for Section<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.state
    }
}

/// How far the maker is; plain data.
#[derive(Clone, Debug)]
pub struct State {
    stage: Stage,
    /// The numbers that state the places.
    answers: [u32; 7],
    old: Place,
    new: Place,
    /// Old strings.
    strings: u32,
    /// Where the parts of the memory start: new types, strings, index of types, index of strings.
    parts: [usize; 4],
    /// Number and offset of an old type, to go on from.
    near: (u32, u32),
    cursors: [u32; CURSORS],
    open: usize,
    previous: u32,
    run: u32,
    run_before: u32,
    steps: u32,
    making: Making,
    /// Types that were as predicted, the newest lowest.
    right: u32,
    /// End of the strings that have a place.
    end: u32,
    sorted: u32,
    made: u32,
    recent: u64,
    waiting: [u8; 64],
    held: usize,
    given: usize,
}

fn word<O: OldImage>(old: &mut OldWindow<'_, O>, at: u32) -> u32 {
    let (bytes, place) = old.view(at);
    bytes.get(place..).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn fold(value: u32) -> u32 {
    (value << 1) ^ (value.cast_signed() >> 31).cast_unsigned()
}

fn unfold(value: u32) -> u32 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

/// The upper half of a number of 32 bits.
fn high<C: Coder>(model: &mut Model<'_>, coder: &mut C, near: u32, value: u32) -> u32 {
    number(model, coder, field::WIDE, near, value >> 16) & 0xffff
}

/// The whole number, given its upper half.
fn low<C: Coder>(model: &mut Model<'_>, coder: &mut C, near: u32, high: u32, value: u32) -> u32 {
    let low = number(model, coder, field::WIDE + 1 + u32::from(high > 0), near, value & 0xffff) & 0xffff;
    (high << 16) | low
}

impl Default for State {
    fn default() -> Self {
        Self {
            stage: Stage::Places { step: 0 },
            answers: [0; 7],
            old: Place::default(),
            new: Place::default(),
            strings: 0,
            parts: [0; 4],
            near: (1, 0),
            cursors: [0; CURSORS],
            open: 0,
            previous: 0,
            run: 0,
            run_before: 0,
            steps: 0,
            making: Making::default(),
            right: 0,
            end: 1,
            sorted: 0,
            made: 0,
            recent: 0,
            waiting: [0; 64],
            held: 0,
            given: 0,
        }
    }
}

impl<'a> Section<'a> {
    /// A maker at its start, in the given memory.
    pub fn new(memory: &'a mut [u32], state: &'a mut State) -> Self {
        *state = State::default();
        Self { memory, state }
    }

    /// Where the section starts in the new image; nothing when there is none left to make.
    #[must_use]
    pub fn start(&self) -> Option<u32> {
        (self.stage != Stage::Done).then_some(self.new.at)
    }

    /// First byte after the section.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.new.at.saturating_add(self.new.bytes())
    }

    /// What bits are spent on now.
    #[must_use]
    pub fn cause(&self) -> crate::compact::plan::Cause {
        match self.stage {
            Stage::Text { .. } => crate::compact::plan::Cause::Texts,
            _ => crate::compact::plan::Cause::Types,
        }
    }

    /// Whether the section is made.
    #[must_use]
    pub fn done(&self) -> bool {
        self.stage == Stage::Done
    }

    fn get(&self, part: Part, number: u32) -> u32 {
        let place = self.first(part).saturating_add(crate::compact::index(number));
        self.memory.get(place).copied().unwrap_or(0)
    }

    fn set(&mut self, part: Part, number: u32, value: u32) {
        let place = self.first(part).saturating_add(crate::compact::index(number));
        if let Some(cell) = self.memory.get_mut(place) {
            *cell = value;
        }
    }

    fn first(&self, part: Part) -> usize {
        let [templates, texts, types, strings] = self.parts;
        match part {
            Part::Numbers => 0,
            Part::Templates => templates,
            Part::Texts => texts,
            Part::TypeIndex => types,
            Part::StringIndex => strings,
        }
    }
}

/// Parts of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// By old type: its new number. Later the strings in order.
    Numbers,
    /// By new type: its old number.
    Templates,
    /// By old string: its new offset.
    Texts,
    /// Offsets of every sixteenth old type in the image.
    TypeIndex,
    /// Offsets of every sixteenth old string among the strings.
    StringIndex,
}
