//! Made-up type information as Linux kernels carry it (`.BTF`), in two orders.

use std::collections::BTreeMap;

/// Types of revision 1.
const COUNT: usize = 400;

/// A word of a type, before anything has its place.
#[derive(Debug, Clone)]
enum Word {
    Plain(u32),
    /// A type, by its number in revision 1 (from 1; above [`COUNT`] those of revision 2 alone).
    Type(usize),
    Name(String),
}

#[derive(Debug, Clone)]
struct Type {
    kind: u32,
    name: String,
    word2: Word,
    /// Of structures, enumerations and prototypes.
    members: Vec<Vec<Word>>,
    /// Of integers and arrays.
    once: Vec<Word>,
}

/// Something like code, with the section in it: revision 1 or 2.
#[must_use]
pub fn image_with_types(revision: u32) -> Vec<u8> {
    let mut numbers = Numbers(3);
    let mut image: Vec<u8> = (0..500).flat_map(|_| (0x8B00_0000 | numbers.below(1 << 15)).to_le_bytes()).collect();
    if revision > 1 {
        image.extend([0x1F, 0x20, 0x03, 0xD5].repeat(3));
    }
    image.extend(section(revision));
    image.extend([0; 7]);
    image.extend((0..401).map(|_| numbers.below(256) as u8));
    image
}

fn section(revision: u32) -> Vec<u8> {
    let mut types: BTreeMap<usize, Type> = (1..=COUNT).map(|number| (number, of(number, &mut Numbers(number as u32)))).collect();
    let mut order: Vec<usize> = (1..=COUNT).collect();
    if revision > 1 {
        // As a parallel build does: the same types in another order; and some changes.
        let mut numbers = Numbers(77);
        let mut pieces: Vec<Vec<usize>> = order.split_off(8).chunks(7).map(<[usize]>::to_vec).collect();
        while !pieces.is_empty() {
            order.extend(pieces.remove(numbers.below(pieces.len() as u32) as usize));
        }
        for number in COUNT + 1..COUNT + 4 {
            types.insert(number, of(number, &mut Numbers(number as u32)));
            order.insert(number / 3, number);
        }
        let removed = types.iter().rfind(|(_, old)| old.kind == 12).map(|(number, _)| *number);
        order.retain(|number| Some(*number) != removed);
        let structures: Vec<usize> = types.iter().filter(|(_, old)| old.kind == 4).map(|(number, _)| *number).collect();
        let structure = |number: usize| structures[number * structures.len() / 5];
        if let Some(changed) = types.get_mut(&structure(1)) {
            changed.name.push_str("_renamed");
        }
        if let Some(changed) = types.get_mut(&structure(2)) {
            changed.members.insert(1, vec![Word::Name("inserted".into()), Word::Type(2), Word::Plain(64)]);
        }
        if let Some(changed) = types.get_mut(&structure(3)) {
            changed.word2 = Word::Plain(4096);
            changed.members.iter_mut().for_each(|member| member[2] = Word::Plain(96));
        }
        if let Some(changed) = types.get_mut(&structure(4)) {
            changed.kind = 5;
        }
    }
    let ids: BTreeMap<usize, u32> = order.iter().copied().zip(1..).collect();

    let mut strings = vec![0];
    let mut known = BTreeMap::from([(String::new(), 0)]);
    let mut body: Vec<u8> = Vec::new();
    for number in &order {
        let Type { kind, name, word2, members, once } = &types[number];
        let first = [Word::Name(name.clone()), Word::Plain(kind << 24 | members.len() as u32), word2.clone()];
        for word in first.iter().chain(once).chain(members.iter().flatten()) {
            let value = match word {
                Word::Plain(value) => *value,
                // A type that was removed is void now.
                Word::Type(number) => ids.get(number).copied().unwrap_or(0),
                Word::Name(name) => *known.entry(name.clone()).or_insert_with(|| {
                    let at = strings.len() as u32;
                    strings.extend_from_slice(name.as_bytes());
                    strings.push(0);
                    at
                }),
            };
            body.extend_from_slice(&value.to_le_bytes());
        }
    }
    let mut section = vec![0x9F, 0xEB, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0];
    for size in [body.len(), body.len(), strings.len()] {
        section.extend_from_slice(&(size as u32).to_le_bytes());
    }
    [section, body, strings].concat()
}

fn of(number: usize, numbers: &mut Numbers) -> Type {
    let kind = if number < 5 { 1 } else { [1, 2, 3, 4, 6, 8, 12, 13, 14, 15, 19][numbers.below(11) as usize] };
    let mut other = || Word::Type(1 + numbers.below(number.min(COUNT) as u32) as usize);
    let (word2, once, count) = match kind {
        1 => (Word::Plain(4), vec![Word::Plain(32)], 0),
        3 => (Word::Plain(0), vec![other(), Word::Type(2), Word::Plain(number as u32 % 99)], 0),
        4 | 15 | 19 => (Word::Plain(4 * (number as u32 % 7)), Vec::new(), number % 7),
        6 => (Word::Plain(4), Vec::new(), number % 5),
        14 => (other(), vec![Word::Plain(1)], 0),
        13 => (other(), Vec::new(), number % 4),
        _ => (other(), Vec::new(), 0),
    };
    let members = (0..count).map(|member| {
        let name = Word::Name(format!("member{member}_{}", number % 50));
        let value = Word::Plain(32 * member as u32);
        match kind {
            4 => vec![name, other(), value],
            15 => vec![other(), value, Word::Plain(8)],
            19 => vec![name, value, Word::Plain(0)],
            13 => vec![name, other()],
            _ => vec![name, value],
        }
    });
    let members = members.collect();
    let name = if matches!(kind, 2 | 3 | 13) { String::new() } else { format!("type_{number}") };
    Type { kind, name, word2, members, once }
}

/// A linear congruential generator.
struct Numbers(u32);

impl Numbers {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % bound
    }
}
