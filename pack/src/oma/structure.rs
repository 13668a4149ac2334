//! Reading the children of an element by name: in any order, none twice that may be there once, none that does not belong.

use super::xml::{Element, Namespace, Node};

/// The tree is well-formed but not of the form that the document must have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An element where it has no place.
    #[error("`{child}` has no place in `{parent}`")]
    Misplaced {
        /// The element around it.
        parent: String,
        /// The element.
        child: String,
    },
    /// An element occurs twice that may occur once.
    #[error("`{child}` occurs twice in `{parent}`")]
    Twice {
        /// The element around it.
        parent: String,
        /// The element.
        child: String,
    },
    /// An element is missing.
    #[error("`{parent}` has no `{child}`")]
    Missing {
        /// The element around it.
        parent: String,
        /// The element.
        child: &'static str,
    },
    /// Text or raw bytes where only elements may be.
    #[error("`{0}` holds text, expected elements only")]
    Text(String),
    /// Elements or raw bytes where only text may be.
    #[error("`{0}` holds something else than text")]
    NotText(String),
    /// An attribute.
    #[error("`{element}` has the attribute `{attribute}`")]
    Attribute {
        /// The element.
        element: String,
        /// The attribute.
        attribute: String,
    },
    /// A value that means nothing there.
    #[error("`{element}` is `{found}`, expected {expected}")]
    Value {
        /// The element.
        element: String,
        /// What it holds, shortened.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The root is another element.
    #[error("the root element is `{found}` in `{namespace}`, expected `{expected}`")]
    Root {
        /// Its local name.
        found: String,
        /// Its name space.
        namespace: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// A value that means nothing where it stands.
pub(crate) fn value_error(element: &str, found: &str, expected: &'static str) -> Error {
    Error::Value { element: element.to_owned(), found: found.chars().take(60).collect(), expected }
}

/// Checks the root element.
pub(crate) fn expect_root(root: &Element, namespace: Namespace, name: &'static str) -> Result<(), Error> {
    if root.name == name && root.namespace == namespace {
        return Ok(());
    }
    Err(Error::Root { found: root.name.clone(), namespace: root.namespace.uri(), expected: name })
}

/// The children of one element, checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    parent: &'a Element,
}

impl<'a> Fields<'a> {
    /// Checks that every child is in the name space and in one of the lists, and those of `once` occur once at most.
    pub(crate) fn new(parent: &'a Element, namespace: Namespace, once: &[&str], many: &[&str]) -> Result<Self, Error> {
        no_attributes(parent)?;
        let mut seen: Vec<&str> = Vec::new();
        for node in &parent.children {
            let Node::Element(child) = node else {
                return Err(Error::Text(parent.name.clone()));
            };
            let name = child.name.as_str();
            let twice = || Error::Twice { parent: parent.name.clone(), child: name.to_owned() };
            if child.namespace == namespace && once.contains(&name) {
                if seen.contains(&name) {
                    return Err(twice());
                }
                seen.push(name);
            } else if child.namespace != namespace || !many.contains(&name) {
                return Err(Error::Misplaced { parent: parent.name.clone(), child: name.to_owned() });
            }
        }
        Ok(Self { parent })
    }

    pub(crate) fn optional(&self, name: &str) -> Option<&'a Element> {
        self.parent.child(name)
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<&'a Element, Error> {
        self.optional(name).ok_or_else(|| Error::Missing { parent: self.parent.name.clone(), child: name })
    }

    pub(crate) fn many(&self, name: &'a str) -> impl Iterator<Item = &'a Element> + use<'a> {
        self.parent.elements().filter(move |element| element.name == name)
    }

    /// A text without the white space around it.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        self.optional(name).map(text).transpose()
    }

    pub(crate) fn owned(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required_text(&self, name: &'static str) -> Result<&'a str, Error> {
        let missing = || Error::Missing { parent: self.parent.name.clone(), child: name };
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(missing)
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(found) = self.text(name)? else {
            return Ok(None);
        };
        number(name, found, u64::MAX).map(Some)
    }

    /// A number of at most 32 bits that must be there.
    pub(crate) fn id(&self, name: &'static str) -> Result<u32, Error> {
        let found = self.required_text(name)?;
        let value = number(name, found, u64::from(u32::MAX))?;
        u32::try_from(value).map_err(|_| value_error(name, found, "a number of 32 bits"))
    }

    /// Whether an element is there that says everything by being there.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.text(name)? {
            None => Ok(false),
            Some("") => Ok(true),
            Some(found) => Err(value_error(name, found, "nothing")),
        }
    }
}

pub(crate) fn no_attributes(element: &Element) -> Result<(), Error> {
    match element.attributes.first() {
        None => Ok(()),
        Some((attribute, _)) => Err(Error::Attribute { element: element.name.clone(), attribute: attribute.clone() }),
    }
}

/// The text of an element without white space around it.
pub(crate) fn text(element: &Element) -> Result<&str, Error> {
    no_attributes(element)?;
    element.text().map(str::trim).ok_or_else(|| Error::NotText(element.name.clone()))
}

/// A decimal number without a sign.
pub(crate) fn number(element: &str, found: &str, largest: u64) -> Result<u64, Error> {
    let digits = !found.is_empty() && found.bytes().all(|byte| byte.is_ascii_digit());
    found.parse().ok().filter(|&value| digits && value <= largest).ok_or_else(|| value_error(element, found, "a decimal number in its range"))
}
