/** A SAML document, read by the very parser that the signature is checked with, so that there are never two opinions of it. */
import { parseDomFromString } from '@node-saml/node-saml/lib/xml.js'
import { refuse } from '../vouched.ts'

export const NS = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
} as const
const BYTES = 150_000
const ELEMENTS = 5_000
const DEPTH = 40

/** The text of a base64 form field: UTF-8, of a sensible size, nothing around it. */
export function decodeForm(field: string): string {
  const bare = field.replace(/[\r\n\t ]/g, '')
  if (bare.length > BYTES * 1.4 || !/^[A-Za-z0-9+/]+={0,2}$/.test(bare)) throw refuse('not base64')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bare, 'base64'))
  } catch (error) {
    throw refuse(error instanceof TypeError ? 'not UTF-8' : 'not readable')
  }
}

/**
 * No DOCTYPE, entity, comment or CDATA section (every one of them begins with `<!`, which stands nowhere else in XML), and no processing
 * instruction: nobody's answer has them, and each has been a way to make two readers see two documents.
 */
export async function parseStrictly(xml: string): Promise<Element> {
  if (xml.length > BYTES) throw refuse('too large')
  const rest = xml.replace(/^\uFEFF?<\?xml\s[^<>]*\?>/, '')
  if (rest.includes('<!')) throw refuse('a DOCTYPE, entity, comment or CDATA section')
  if (rest.includes('<?')) throw refuse('a processing instruction')
  const root = (await parseDomFromString(rest.trim()).catch(() => null))?.documentElement
  if (!root) throw refuse('not XML')
  measure(root as unknown as Element)
  return root as unknown as Element
}

function measure(root: Element): void {
  let count = 0
  const ids = new Set<string>()
  const walk = (element: Element, depth: number) => {
    count += 1
    if (count > ELEMENTS || depth > DEPTH) throw refuse('too large')
    for (const attribute of Array.from(element.attributes)) {
      // `ID`, `Id`, `id`, `xml:id`, `wsu:Id`: whatever a reader may take for the name of an element.
      if (attribute.localName.toLowerCase() !== 'id') continue
      if (ids.has(attribute.value)) throw refuse('an id used twice')
      ids.add(attribute.value)
    }
    for (const child of elementsIn(element)) walk(child, depth + 1)
  }
  walk(root, 0)
}

export const elementsIn = (parent: Element): Element[] =>
  Array.from(parent.childNodes).filter((node): node is Element => node.nodeType === 1)
export const isElement = (element: Element, namespace: string, name: string) =>
  element.namespaceURI === namespace && element.localName === name
export const childrenOf = (parent: Element, namespace: string, name: string): Element[] =>
  elementsIn(parent).filter((it) => isElement(it, namespace, name))

/** Exactly one. */
export function only(parent: Element, namespace: string, name: string): Element {
  const found = childrenOf(parent, namespace, name)
  if (found.length !== 1 || !found[0]) throw refuse(`${name}: ${found.length} of them`)
  return found[0]
}
/** All elements of this local name, here and below, whatever their namespace says. */
export const named = (root: Element, name: string): Element[] => [
  ...(root.localName === name ? [root] : []),
  ...elementsIn(root).flatMap((child) => named(child, name)),
]
/** The text of an element that holds nothing but one piece of text. */
export function textOf(element: Element): string {
  if (elementsIn(element).length > 0 || element.childNodes.length !== 1)
    throw refuse(`${element.localName}: not a plain text`)
  const text = (element.textContent ?? '').trim()
  if (text === '') throw refuse(`${element.localName}: empty`)
  return text
}
export const attributeOf = (element: Element, name: string): string | null =>
  element.hasAttribute(name) ? element.getAttribute(name) : null
