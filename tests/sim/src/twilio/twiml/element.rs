//! Attributes and text of one element, read strictly.

use roxmltree::Node;

use super::{Action, Fault, Method, SCHEMA};

/// The document breaks TwiML's schema.
pub(super) fn schema(message: impl Into<String>) -> Fault {
    Fault::Refused { code: SCHEMA, message: message.into() }
}

/// Refuses every attribute which is not in `known`; those in `inert` are not acted upon here, and a document that
/// relies on one of `unplayed` cannot be simulated.
pub(super) fn check_attributes(node: Node<'_, '_>, known: &[&str], unplayed: &[&str]) -> Result<(), Fault> {
    let tag = node.tag_name().name();
    for attribute in node.attributes() {
        let name = attribute.name();
        if unplayed.contains(&name) {
            return Err(Fault::NotSimulated(format!("<{tag} {name}>")));
        }
        if !known.contains(&name) || attribute.namespace().is_some() {
            return Err(schema(format!("<{tag}> has no attribute '{name}'")));
        }
    }
    Ok(())
}

/// Refuses text between the children.
pub(super) fn check_no_text(node: Node<'_, '_>) -> Result<(), Fault> {
    let stray = node.children().any(|c| c.is_text() && !c.text().unwrap_or_default().trim().is_empty());
    if stray { Err(schema(format!("text is not allowed in <{}>", node.tag_name().name()))) } else { Ok(()) }
}

/// Refuses children and text.
pub(super) fn check_empty(node: Node<'_, '_>) -> Result<(), Fault> {
    check_no_text(node)?;
    match node.children().find(Node::is_element) {
        None => Ok(()),
        Some(child) => Err(misplaced(child, node)),
    }
}

/// `child` may not stand in `parent`.
pub(super) fn misplaced(child: Node<'_, '_>, parent: Node<'_, '_>) -> Fault {
    schema(format!("<{}> is not allowed in <{}>", child.tag_name().name(), parent.tag_name().name()))
}

/// The element's text, trimmed; children are refused.
pub(super) fn text(node: Node<'_, '_>) -> Result<String, Fault> {
    if let Some(child) = node.children().find(Node::is_element) {
        return Err(misplaced(child, node));
    }
    let text: String = node.children().filter_map(|c| if c.is_text() { c.text() } else { None }).collect();
    Ok(text.trim().to_owned())
}

/// A whole number within `range`.
pub(super) fn number(
    node: Node<'_, '_>,
    name: &str,
    range: std::ops::RangeInclusive<u32>,
) -> Result<Option<u32>, Fault> {
    let Some(text) = node.attribute(name) else { return Ok(None) };
    match text.parse::<u32>() {
        Ok(value) if range.contains(&value) => Ok(Some(value)),
        _ => Err(invalid(node, name, text)),
    }
}

/// `true` or `false`.
pub(super) fn boolean(node: Node<'_, '_>, name: &str) -> Result<Option<bool>, Fault> {
    match node.attribute(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(invalid(node, name, other)),
    }
}

/// One of `allowed`.
pub(super) fn one_of<'a>(node: Node<'a, '_>, name: &str, allowed: &[&str]) -> Result<Option<&'a str>, Fault> {
    match node.attribute(name) {
        Some(value) if !allowed.contains(&value) => Err(invalid(node, name, value)),
        value => Ok(value),
    }
}

/// A URL attribute with the method attribute that goes with it.
pub(super) fn action(node: Node<'_, '_>, url: &str, method: &str) -> Result<Option<Action>, Fault> {
    let method = match one_of(node, method, &["GET", "POST"])? {
        Some("GET") => Method::Get,
        _ => Method::Post,
    };
    Ok(node.attribute(url).map(|url| Action { url: url.to_owned(), method }))
}

/// The value of the attribute is not allowed.
pub(super) fn invalid(node: Node<'_, '_>, name: &str, value: &str) -> Fault {
    schema(format!("'{value}' is no value of <{} {name}>", node.tag_name().name()))
}
