/**
 * Owns reading XML from devices: bounded text in, a small tree out. Session hosts and commands; the one importer of saxes.
 * Must never expand an entity of the document's own, nor go on past a bound: what a device sends is hostile input.
 * Elements go by their local name. Devices choose their own prefixes, and some forget to declare them; what is looked up
 * here stands at fixed places of fixed answers, where a local name is unambiguous.
 */
import { SaxesParser } from 'saxes'
import { GrabberError } from '../../../core/errors.ts'

/** Real answers nest 14 deep at most (analytics modules inside a media profile). */
const MAX_DEPTH = 40
/** A device with 64 profiles answers with about 7000 elements. */
const MAX_ELEMENTS = 20_000

export interface XmlElement {
  /** Local name. */
  name: string
  /** By local name; declarations of namespaces are left out. */
  attributes: ReadonlyMap<string, string>
  children: XmlElement[]
  /** The character data directly inside. */
  text: string
}

/** The root element. Errors: SRC_ONVIF for what is not well-formed, has a document type (SOAP 1.2 forbids it, §5) or passes a bound. */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser()
  const document: XmlElement = { name: '', attributes: new Map(), children: [], text: '' }
  const open = [document]
  let elements = 0
  const refuse = (what: string): never => {
    throw new GrabberError('SRC_ONVIF', `an answer ${what}`, { context: { atCharacter: parser.position } })
  }
  const addText = (more: string) => {
    open.at(-1)!.text += more
  }
  parser.on('error', () => refuse('is not well-formed XML'))
  parser.on('doctype', () => refuse('has a document type, which SOAP forbids'))
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length > MAX_DEPTH) refuse(`nests more than ${MAX_DEPTH} elements`)
    if (++elements > MAX_ELEMENTS) refuse(`has more than ${MAX_ELEMENTS} elements`)
    const element: XmlElement = {
      name: localName(name),
      attributes: readAttributes(attributes),
      children: [],
      text: '',
    }
    open.at(-1)!.children.push(element)
    open.push(element)
  })
  parser.on('closetag', () => void open.pop())
  parser.on('text', addText)
  parser.on('cdata', addText)
  // Some devices begin with an empty line, before which no XML declaration may stand.
  parser.write(text.trimStart()).close()
  return document.children[0] ?? refuse('is empty')
}

/** The first element at the end of a path of local names. */
export function elementAt(from: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((at, name) => at?.children.find((child) => child.name === name), from)
}

export function elementsNamed(from: XmlElement | undefined, name: string): XmlElement[] {
  return from?.children.filter((child) => child.name === name) ?? []
}

/** Text of the first element at the end of the path, trimmed; empty when there is none. */
export function textAt(from: XmlElement | undefined, ...path: string[]): string {
  return elementAt(from, ...path)?.text.trim() ?? ''
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write these, so they must not be sent.
const UNWRITABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g

/** `text` as character data or an attribute's value. */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(UNWRITABLE, '\uFFFD')
    .replace(/[&<>"']/g, (character) => ESCAPES[character]!)
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function readAttributes(attributes: Record<string, string>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(attributes)
      .filter(([name]) => name !== 'xmlns' && !name.startsWith('xmlns:'))
      .map(([name, value]) => [localName(name), value]),
  )
}
