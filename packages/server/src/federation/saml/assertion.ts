/** The claims of an assertion, read from the bytes whose signature was checked, and for whom and when they hold. */
import { groupsAt } from '../mapping.ts'
import type { SamlSettings } from '../store.ts'
import { refuse, tidyEmail, tidyText, type Vouched } from '../vouched.ts'
import { attributeOf, childrenOf, elementsIn, isElement, NS, only, textOf } from './document.ts'
import type { Expected } from './shape.ts'

const SKEW_MS = 60_000
/** Longer than this nobody needs to carry an answer from one page to the next. */
const MOST_MS = 60 * 60_000
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'
const EMAIL_FORMAT = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'

export interface Asserted {
  vouched: Vouched
  assertionId: string
  /** Until when the same assertion could be shown again. ms since 1970. */
  until: number
}

function timeOf(element: Element, name: string): number | null {
  const text = attributeOf(element, name)
  if (text === null) return null
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text)) throw refuse(`${name}: not a time`)
  return Date.parse(text.replace(/(\.\d{3})\d+Z$/, '$1Z'))
}
function within(element: Element, now: number): number {
  const from = timeOf(element, 'NotBefore')
  const until = timeOf(element, 'NotOnOrAfter')
  if (until === null) throw refuse('NotOnOrAfter is missing')
  if (Number.isNaN(until) || until <= now - SKEW_MS) throw refuse('expired')
  if (until > now + MOST_MS + SKEW_MS) throw refuse('valid for too long')
  if (from !== null && !(from <= now + SKEW_MS)) throw refuse('not yet valid')
  return until
}

export function readAssertion(assertion: Element, settings: SamlSettings, expected: Expected): Asserted {
  if (!isElement(assertion, NS.assertion, 'Assertion')) throw refuse('not an assertion')
  if (attributeOf(assertion, 'Version') !== '2.0') throw refuse('version')
  const assertionId = attributeOf(assertion, 'ID')
  if (!assertionId) throw refuse('id')
  const issuer = textOf(only(assertion, NS.assertion, 'Issuer'))
  if (issuer !== expected.issuer) throw refuse('issuer')

  const subject = only(assertion, NS.assertion, 'Subject')
  const nameId = only(subject, NS.assertion, 'NameID')
  const format = attributeOf(nameId, 'Format')
  if (format === TRANSIENT) throw refuse('a name that changes each time')
  const name = textOf(nameId)
  if (name.length > 255) throw refuse('NameID')
  const confirmation = only(subject, NS.assertion, 'SubjectConfirmation')
  if (attributeOf(confirmation, 'Method') !== BEARER) throw refuse('confirmation')
  const data = only(confirmation, NS.assertion, 'SubjectConfirmationData')
  if (attributeOf(data, 'Recipient') !== expected.acsUrl) throw refuse('recipient')
  if (attributeOf(data, 'InResponseTo') !== expected.requestId) throw refuse('InResponseTo of the subject')
  const until = within(data, expected.now)

  const conditions = only(assertion, NS.assertion, 'Conditions')
  within(conditions, expected.now)
  const audiences = childrenOf(
    only(conditions, NS.assertion, 'AudienceRestriction'),
    NS.assertion,
    'Audience',
  )
  if (!audiences.map(textOf).includes(expected.audience)) throw refuse('audience')

  const statement = only(assertion, NS.assertion, 'AuthnStatement')
  const ends = timeOf(statement, 'SessionNotOnOrAfter')
  if (ends !== null && !(ends > expected.now - SKEW_MS)) throw refuse('the session there has ended')
  const context = only(statement, NS.assertion, 'AuthnContext')
  const contexts = childrenOf(context, NS.assertion, 'AuthnContextClassRef').map(textOf)

  const attributes = attributesOf(assertion)
  const one = (key: string) => attributes[key]?.[0] ?? null
  const email = tidyEmail(one(settings.emailAttribute) ?? (format === EMAIL_FORMAT ? name : null))
  const whole = [one('firstName') ?? one('givenName'), one('lastName') ?? one('surname')]
    .filter(Boolean)
    .join(' ')
  return {
    assertionId,
    until: until + SKEW_MS,
    vouched: {
      issuer,
      subject: name,
      account: tidyText(one('username') ?? email ?? name, 200) ?? name,
      name: tidyText(one('displayName') ?? one('name') ?? (whole || one('username')), 60),
      email,
      groups: groupsAt(attributes, settings.groupsAttribute),
      contexts,
      sid: tidyText(attributeOf(statement, 'SessionIndex'), 255),
      provedAt: timeOf(statement, 'AuthnInstant'),
      tokens: null,
    },
  }
}

/** By name and, where it has one, by friendly name; values of several elements of one name are gathered. */
function attributesOf(assertion: Element): Record<string, string[]> {
  const found: Record<string, string[]> = Object.create(null)
  for (const statement of childrenOf(assertion, NS.assertion, 'AttributeStatement'))
    for (const attribute of childrenOf(statement, NS.assertion, 'Attribute')) {
      const values = childrenOf(attribute, NS.assertion, 'AttributeValue')
        .filter((it) => elementsIn(it).length === 0)
        .map((it) => (it.textContent ?? '').trim())
      const names = new Set([attributeOf(attribute, 'Name'), attributeOf(attribute, 'FriendlyName')])
      for (const key of names) if (key) found[key] = [...(found[key] ?? []), ...values]
    }
  return found
}
