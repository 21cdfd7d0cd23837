//! The text that LVM2 keeps its metadata in: sections, assignments, lists.
//!
//! ```text
//! vg {
//! id = "…"
//! seqno = 4
//! logical_volumes {
//! lv {
//! status = ["READ", "WRITE"]
//! ```
//!
//! The parser keeps where everything stands, so that the text itself stays the truth. It is bounded: so many values, so
//! many levels, and one pass over the text.

use std::ops::Range;

/// Sections in sections. LVM writes five.
const MAX_DEPTH: usize = 8;
/// Values and sections in all.
const MAX_NODES: usize = 1 << 18;

/// Where in the text something is.
pub(super) type Span = Range<usize>;

/// A value: a number, or text without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) span: Span,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// In double quotes: a backslash makes the next byte literal.
    Quoted,
    /// In single quotes.
    Verbatim,
    /// Without quotes: a number or a word.
    Bare,
}

/// A named thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: Span,
    pub(super) content: Content,
}

/// What is behind a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Section(Vec<Node>),
    Value(Scalar),
    List(Vec<Scalar>),
}

/// Why a text can not be read: what was expected and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of the text: expected {expected}")]
pub(super) struct ConfigError {
    at: usize,
    expected: &'static str,
}

/// Reads a text.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Node>, ConfigError> {
    let mut parser = Parser { text, at: 0, nodes: 0 };
    let nodes = parser.body(0)?;
    if parser.at < text.len() { parser.fail("a name") } else { Ok(nodes) }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    nodes: usize,
}

impl Parser<'_> {
    fn fail<T>(&self, expected: &'static str) -> Result<T, ConfigError> {
        Err(ConfigError { at: self.at, expected })
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Goes on while that holds; where it began and ended.
    fn run(&mut self, wanted: impl Fn(u8) -> bool) -> Span {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.step();
        }
        start..self.at
    }

    fn blank(&mut self) {
        loop {
            self.run(|byte| byte.is_ascii_whitespace());
            if self.peek() != Some(b'#') {
                return;
            }
            self.run(|byte| byte != b'\n');
        }
    }

    fn count(&mut self) -> Result<(), ConfigError> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MAX_NODES { self.fail("fewer values") } else { Ok(()) }
    }

    /// Assignments and sections up to a closing brace or the end.
    fn body(&mut self, depth: usize) -> Result<Vec<Node>, ConfigError> {
        let mut nodes = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                None | Some(b'}') => return Ok(nodes),
                Some(_) => nodes.push(self.node(depth)?),
            }
        }
    }

    fn node(&mut self, depth: usize) -> Result<Node, ConfigError> {
        self.count()?;
        let name = self.run(is_name);
        if name.is_empty() {
            return self.fail("a name");
        }
        self.blank();
        let content = match self.peek() {
            Some(b'{') if depth < MAX_DEPTH => Content::Section(self.section(depth)?),
            Some(b'{') => return self.fail("fewer sections in sections"),
            Some(b'=') => self.value()?,
            _ => return self.fail("'{' or '='"),
        };
        Ok(Node { name, content })
    }

    fn section(&mut self, depth: usize) -> Result<Vec<Node>, ConfigError> {
        self.step();
        let nodes = self.body(depth.saturating_add(1))?;
        if self.peek() != Some(b'}') {
            return self.fail("'}'");
        }
        self.step();
        Ok(nodes)
    }

    fn value(&mut self) -> Result<Content, ConfigError> {
        self.step();
        self.blank();
        if self.peek() != Some(b'[') {
            return self.scalar().map(Content::Value);
        }
        self.step();
        let mut list = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                Some(b']') => break,
                Some(b',') => self.step(),
                _ => list.push(self.scalar()?),
            }
        }
        self.step();
        Ok(Content::List(list))
    }

    fn scalar(&mut self) -> Result<Scalar, ConfigError> {
        self.count()?;
        match self.peek() {
            Some(b'"') => self.quoted(b'"', Kind::Quoted),
            Some(b'\'') => self.quoted(b'\'', Kind::Verbatim),
            _ => {
                let span = self.run(is_bare);
                if span.is_empty() { self.fail("a value") } else { Ok(Scalar { span, kind: Kind::Bare }) }
            }
        }
    }

    fn quoted(&mut self, quote: u8, kind: Kind) -> Result<Scalar, ConfigError> {
        self.step();
        let start = self.at;
        while let Some(byte) = self.peek() {
            if byte == quote {
                let span = start..self.at;
                self.step();
                return Ok(Scalar { span, kind });
            }
            if byte == b'\\' && kind == Kind::Quoted {
                self.step();
            }
            self.step();
        }
        self.fail("a closing quote")
    }
}

fn is_name(byte: u8) -> bool {
    !byte.is_ascii_whitespace()
        && !matches!(byte, b'=' | b'{' | b'}' | b'#' | b'"' | b'\'' | b'[' | b']' | b',')
}

fn is_bare(byte: u8) -> bool {
    is_name(byte)
}

/// A section, and the text that it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'a> {
    text: &'a [u8],
    nodes: &'a [Node],
}

impl<'a> Section<'a> {
    pub(super) fn new(text: &'a [u8], nodes: &'a [Node]) -> Self {
        Self { text, nodes }
    }

    fn bytes(&self, span: &Span) -> &'a [u8] {
        self.text.get(span.clone()).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Option<&'a Content> {
        let node = self.nodes.iter().find(|node| self.bytes(&node.name) == name.as_bytes())?;
        Some(&node.content)
    }

    /// The sections in this one, with their names.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&'a [u8], Self)> + use<'a> {
        let (section, nodes) = (*self, self.nodes);
        nodes.iter().filter_map(move |node| match &node.content {
            Content::Section(nodes) => Some((section.bytes(&node.name), Self { nodes, ..section })),
            _ => None,
        })
    }

    pub(super) fn section(&self, name: &str) -> Option<Self> {
        match self.find(name)? {
            Content::Section(nodes) => Some(Self { nodes, ..*self }),
            _ => None,
        }
    }

    /// A number that is not negative.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.find(name)? {
            Content::Value(scalar) => self.scalar_number(scalar),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<Vec<u8>> {
        match self.find(name)? {
            Content::Value(scalar) => Some(self.scalar_text(scalar)),
            _ => None,
        }
    }

    /// The values of a list; a single value is a list of one.
    pub(super) fn list(&self, name: &str) -> &'a [Scalar] {
        match self.find(name) {
            Some(Content::List(list)) => list,
            Some(Content::Value(scalar)) => std::slice::from_ref(scalar),
            _ => &[],
        }
    }

    /// The values of a list as text.
    pub(super) fn words(&self, name: &str) -> Vec<Vec<u8>> {
        self.list(name).iter().map(|scalar| self.scalar_text(scalar)).collect()
    }

    /// All text of this section's own values.
    pub(super) fn all_words(&self) -> Vec<Vec<u8>> {
        let scalars = self.nodes.iter().flat_map(|node| match &node.content {
            Content::List(list) => list.as_slice(),
            Content::Value(scalar) => std::slice::from_ref(scalar),
            Content::Section(_) => &[],
        });
        scalars.filter(|scalar| scalar.kind != Kind::Bare).map(|scalar| self.scalar_text(scalar)).collect()
    }

    /// A number as C reads it: one that begins with 0 is octal.
    pub(super) fn scalar_number(&self, scalar: &Scalar) -> Option<u64> {
        let digits = std::str::from_utf8(self.bytes(&scalar.span)).ok()?;
        if scalar.kind != Kind::Bare || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let number = match digits.strip_prefix('0') {
            Some(octal) if !octal.is_empty() => i64::from_str_radix(octal, 8).ok()?,
            _ => digits.parse().ok()?,
        };
        u64::try_from(number).ok()
    }

    pub(super) fn scalar_text(&self, scalar: &Scalar) -> Vec<u8> {
        let bytes = self.bytes(&scalar.span);
        if scalar.kind != Kind::Quoted {
            return bytes.to_vec();
        }
        let mut text = Vec::with_capacity(bytes.len());
        let mut bytes = bytes.iter();
        while let Some(&byte) = bytes.next() {
            text.push(if byte == b'\\' { bytes.next().copied().unwrap_or(byte) } else { byte });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(text: &str, look: impl FnOnce(Section<'_>) -> T) -> T {
        let nodes = parse(text.as_bytes()).unwrap();
        look(Section::new(text.as_bytes(), &nodes))
    }

    #[test]
    fn sections_values_and_lists_are_found_by_name() {
        let text = "vg {\nid = \"a-b\"\nseqno = 4 # comment }\nflags = []\nmixed = [\"pv0\", 12, word]\n\
                    sub { deep = 010 }\n}\nafter = 'ver\\batim'\n";
        with(text, |root| {
            let vg = root.section("vg").unwrap();
            assert_eq!(vg.text("id").unwrap(), b"a-b");
            assert_eq!(vg.number("seqno"), Some(4));
            assert!(vg.list("flags").is_empty());
            let mixed = vg.list("mixed");
            assert_eq!(vg.scalar_text(&mixed[0]), b"pv0");
            assert_eq!(vg.scalar_number(&mixed[1]), Some(12));
            assert_eq!(vg.scalar_number(&mixed[0]), None);
            assert_eq!(vg.section("sub").unwrap().number("deep"), Some(8), "a leading 0 is octal");
            assert_eq!(root.text("after").unwrap(), b"ver\\batim");
            assert_eq!(vg.sections().map(|(name, _)| name).collect::<Vec<_>>(), [b"sub"]);
        });
    }

    #[test]
    fn quotes_may_hold_quotes() {
        with(r#"name = "a \"b\" \\ c""#, |root| assert_eq!(root.text("name").unwrap(), br#"a "b" \ c"#));
    }

    #[test]
    fn what_is_not_the_grammar_says_where() {
        for (text, at) in
            [("vg {", 4), ("vg = ", 5), ("a = \"b", 6), ("}", 0), ("a b", 2), ("= 1", 0), ("a = [1", 6)]
        {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
        }
        let deep = "a {".repeat(100_000);
        assert_eq!(parse(deep.as_bytes()).unwrap_err().expected, "fewer sections in sections");
    }

    #[test]
    fn numbers_out_of_range_are_no_numbers() {
        with("a = 9223372036854775807 b = 9223372036854775808 c = -1 d = 1.5 e = 09", |root| {
            assert_eq!(root.number("a"), Some(i64::MAX as u64));
            assert!(["b", "c", "d", "e"].into_iter().all(|name| root.number(name).is_none()));
        });
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-c {}=\\[\\],\"'#\\\\\n0-9]{0,60}") {
            let _ = parse(text.as_bytes());
        }
    }
}
