/** Signing in by SAML: the way through, and a corpus of documents that must not get through, each made from the one that does. */
import type { Provider } from '@kalnet/contracts/federation'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../core/store.ts'
import {
  type Answer,
  answerXml,
  ENVELOPED,
  EXCLUSIVE,
  type How,
  type Keys,
  makeKeys,
  metadataOf,
  pemOf,
  requestIn,
  SIGN_IN,
  signAt,
  signBoth,
} from '../testing/saml-provider.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { createWalker, type Walker } from '../testing/walker.ts'

let server: TestServer
let owner: Awaited<ReturnType<TestServer['person']>>
let provider: Provider & { acsUrl: string; ourMetadataUrl: string }
let keys: Keys
let otherKeys: Keys

const isHome = (url: URL) => url.origin === server.origin && !url.pathname.startsWith('/api/')
async function begin(walker: Walker = createWalker()) {
  const page = await walker.once(new URL(`${server.origin}/api/sign-in/providers/${provider.id}/start`), null)
  const location = page.headers.location ?? ''
  expect(location.startsWith(SIGN_IN)).toBe(true)
  const requestId = requestIn(location).id
  const ours: Answer = { acsUrl: provider.acsUrl, audience: provider.ourMetadataUrl, requestId }
  return { walker, ours, location }
}
/** The provider's page posts it. */
const post = (walker: Walker, xml: string, raw?: string) =>
  walker.go(provider.acsUrl, {
    form: {
      from: 'https://idp.example',
      body: new URLSearchParams({
        SAMLResponse: raw ?? Buffer.from(xml).toString('base64'),
        RelayState: '',
      }).toString(),
    },
    stop: isHome,
  })
const secretIn = (walker: Walker) => walker.cookie(server.origin, 'kalnet')
const count = async () =>
  (
    await server.store.system.read((tx) =>
      sql<{
        n: string
      }>`select (select count(*) from users) || ' ' || (select count(*) from identities) || ' ' || (select count(*) from sign_ins) || ' ' || (select count(*) from provider_onces) as n`.execute(
        tx,
      ),
    )
  ).rows[0]?.n

/** What the audit says of the last answer that came. */
async function lastRecord() {
  const { rows } = await server.store.system.read((tx) =>
    sql<{ outcome: string; reason: string | null }>`
      select outcome, details->>'reason' as reason from audit where action = 'assertion.received' order by id desc limit 1`.execute(
      tx,
    ),
  )
  return rows[0] ?? { outcome: 'nothing', reason: null }
}

beforeAll(async () => {
  server = await testServer({ doors: true })
  owner = await server.person('owner')
  keys = await makeKeys()
  otherKeys = await makeKeys()
  const answer = await server.ask('POST', '/api/providers', {
    as: owner.secret,
    body: {
      kind: 'saml',
      name: 'Club',
      metadata: { xml: metadataOf(keys) },
      createsPeople: true,
      enabled: true,
      rules: [{ group: 'board', role: 'admin' }],
    },
  })
  expect(answer.status, answer.text).toBe(200)
  provider = answer.body as never
})
afterAll(() => server?.end())

describe('[IDN-2.saml] signing in by a SAML provider', () => {
  it('is off until configured: nobody hears of it, and its doors are shut', async () => {
    const added = await server.ask('POST', '/api/providers', {
      as: owner.secret,
      body: { kind: 'saml', name: 'Later', metadata: { xml: metadataOf(keys) } },
    })
    const buttons = await server.ask('GET', '/api/sign-in/providers')
    expect(buttons.text).not.toContain('Later')
    const start = await server.ask('GET', `/api/sign-in/providers/${added.body.id}/start`)
    expect(start.headers.location).toBe('/?problem=thing.unknown')
  })
  it('asks with a request of its own and lets in what is signed, asked for and for us', async () => {
    const { walker, ours, location } = await begin()
    expect(requestIn(location).xml).toContain(`AssertionConsumerServiceURL="${provider.acsUrl}"`)
    const page = await post(
      walker,
      signBoth(answerXml({ ...ours, email: 'lin@example.net', groups: ['board'] }), { keys }),
    )
    expect(page.url.pathname + page.url.search).toBe('/')
    const me = await server.ask('GET', '/api/me', { as: secretIn(walker) ?? '' })
    expect(me.body).toMatchObject({ email: 'lin@example.net', role: 'admin' })
  })
  it('the same name is the same person; a comment would not make another of it', async () => {
    const ids = new Set<unknown>()
    for (const email of ['one@example.net', 'two@example.net']) {
      const { walker, ours } = await begin()
      await post(walker, signBoth(answerXml({ ...ours, nameId: 'the-same', email }), { keys }))
      ids.add((await server.ask('GET', '/api/me', { as: secretIn(walker) ?? '' })).body.id)
    }
    expect(ids.size).toBe(1)
  })
  it('SHA-512 is good too, and a certificate that comes along is not looked at', async () => {
    const { walker, ours } = await begin()
    const how: How = {
      keys,
      algorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
      digest: 'http://www.w3.org/2001/04/xmlenc#sha512',
      keyInfo: keys.certificate,
    }
    const page = await post(walker, signBoth(answerXml(ours), how))
    expect(page.url.search).toBe('')
  })
  it('our metadata names our addresses and demands signed assertions', async () => {
    const answer = await server.ask('GET', new URL(provider.ourMetadataUrl).pathname)
    expect(answer.headers['content-type']).toContain('samlmetadata+xml')
    expect(answer.text).toContain(`entityID="${provider.ourMetadataUrl}"`)
    expect(answer.text).toContain(`Location="${provider.acsUrl}"`)
    expect(answer.text).toContain('WantAssertionsSigned="true"')
  })
  const metadata: [string, () => string | Promise<string>][] = [
    ['not XML', () => 'hello'],
    ['not metadata', () => '<a/>'],
    ['a DOCTYPE', () => metadataOf(keys).replace('<md:Entity', '<!DOCTYPE x [<!ENTITY a "b">]><md:Entity')],
    ['no certificate', () => metadataOf(keys).replace(/<md:KeyDescriptor[\s\S]*<\/md:KeyDescriptor>/, '')],
    ['a damaged certificate', () => metadataOf({ ...keys, certificate: 'AAAA' })],
    ['a short key', async () => metadataOf(await makeKeys(1024))],
    ['no address', () => metadataOf(keys).replace(/<md:SingleSignOnService[^>]*>/, '')],
    [
      'an address without https',
      () => metadataOf(keys).replace('https://idp.example/sso', 'http://idp.example/sso'),
    ],
    [
      'an address that is a program',
      () => metadataOf(keys).replace('https://idp.example/sso', 'javascript:alert(1)'),
    ],
  ]
  it.each(metadata)('metadata is refused in words: %s', async (_name, make) => {
    const answer = await server.ask('POST', '/api/providers/look', {
      as: owner.secret,
      body: { kind: 'saml', metadata: { xml: await make() } },
    })
    expect(answer.body.error?.code, answer.text).toMatch(/^provider\.(metadata|unreachable)$/)
  })
})

describe('[IDN-2.accounts] keys of a provider', () => {
  it('an admin cannot change those that vouch for an owner', async () => {
    const { walker, ours } = await begin()
    await post(walker, signBoth(answerXml({ ...ours, nameId: 'the-owner' }), { keys }))
    const admin = await server.person('admin', owner.organisationId)
    const swap = (as: string) =>
      server.ask('PATCH', `/api/providers/${provider.id}`, {
        as,
        body: { metadata: { xml: metadataOf(keys) } },
      })
    expect((await swap(admin.secret)).status).toBe(200)
    const { body } = await server.ask('GET', '/api/me', { as: secretIn(walker) ?? '' })
    await server.store.system.transaction((tx) =>
      sql`update users set role = 'owner' where id = ${body.id}`.execute(tx),
    )
    expect((await swap(admin.secret)).body.error?.code).toBe('permission.denied')
    expect((await swap(owner.secret)).status).toBe(200)
  })
})

/** Takes the signed assertion out of a signed answer. */
const assertionIn = (xml: string) => /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(xml)?.[0] ?? ''
const signatureIn = (xml: string) => /<ds:Signature[\s\S]*?<\/ds:Signature>/.exec(xml)?.[0] ?? ''
const withoutSignature = (xml: string) => xml.replace(/<ds:Signature[\s\S]*?<\/ds:Signature>/g, '')
/** The attacker's own assertion: another name, another id. */
const evil = (assertion: string) =>
  withoutSignature(assertion)
    .replace(/ ID="[^"]*"/, ' ID="_evil"')
    .replace(/(<saml:NameID[^>]*>)[^<]*/, '$1admin')
const good = (ours: Answer) => signBoth(answerXml({ ...ours, nameId: 'mallory' }), { keys })
const both = (change: Partial<Answer>) => (ours: Answer) =>
  signBoth(answerXml({ ...ours, ...change }), { keys })
const signedWith = (how: Partial<How>) => (ours: Answer) => signBoth(answerXml(ours), { keys, ...how })
const inserted = (marker: string, text: string) => (ours: Answer) =>
  good(ours).replace(marker, `${text}${marker}`)

/** XSW 1–8 as Somorovsky et al. (USENIX Security 2012) number them; 1 and 2 wrap the answer, 3 to 8 the assertion. */
const wrapping: [string, (ours: Answer) => string][] = [
  [
    'XSW1: the signed answer inside the signature of a forged one',
    (ours) => {
      const whole = good(ours)
      const forged = whole
        .replace(/ ID="_r/, ' ID="_evilr')
        .replace(assertionIn(whole), evil(assertionIn(whole)))
      return forged.replace('</ds:Signature>', `${withoutSignature(whole)}</ds:Signature>`)
    },
  ],
  [
    'XSW2: the signed answer beside the signature',
    (ours) => {
      const whole = good(ours)
      const forged = whole
        .replace(/ ID="_r/, ' ID="_evilr')
        .replace(assertionIn(whole), evil(assertionIn(whole)))
      return forged.replace(/(<ds:Signature)/, `${withoutSignature(whole)}$1`)
    },
  ],
  [
    'XSW3: a forged assertion before the signed one',
    (ours) => {
      const whole = good(ours)
      return whole.replace('<saml:Assertion', `${evil(assertionIn(whole))}<saml:Assertion`)
    },
  ],
  [
    'XSW4: the signed assertion inside the forged one',
    (ours) => {
      const whole = good(ours)
      const signed = assertionIn(whole)
      return whole.replace(signed, evil(signed).replace('</saml:Assertion>', `${signed}</saml:Assertion>`))
    },
  ],
  [
    'XSW5: the signature in the forged one, the signed one behind',
    (ours) => {
      const whole = good(ours)
      const signed = assertionIn(whole)
      const forged = evil(signed).replace('<saml:Subject>', `${signatureIn(signed)}<saml:Subject>`)
      return whole.replace(signed, `${forged}${withoutSignature(signed)}`)
    },
  ],
  [
    'XSW6: the signed one inside the signature of the forged one',
    (ours) => {
      const whole = good(ours)
      const signed = assertionIn(whole)
      const signature = signatureIn(signed).replace(
        '</ds:Signature>',
        `${withoutSignature(signed)}</ds:Signature>`,
      )
      return whole.replace(signed, evil(signed).replace('<saml:Subject>', `${signature}<saml:Subject>`))
    },
  ],
  [
    'XSW7: the signed one in Extensions',
    (ours) => {
      const whole = good(ours)
      const signed = assertionIn(whole)
      const forged = whole.replace(signed, evil(signed))
      return forged.replace('<samlp:Status>', `<samlp:Extensions>${signed}</samlp:Extensions><samlp:Status>`)
    },
  ],
  [
    'XSW8: the signed one in an Object of the signature',
    (ours) => {
      const whole = good(ours)
      const signed = assertionIn(whole)
      const object = `<ds:Object>${withoutSignature(signed)}</ds:Object>`
      const signature = signatureIn(signed).replace('</ds:Signature>', `${object}</ds:Signature>`)
      return whole.replace(signed, evil(signed).replace('<saml:Subject>', `${signature}<saml:Subject>`))
    },
  ],
]
/** The same, with the answer not signed at all: only the assertion's signature is left to lean on. */
const wrappingUnsigned = wrapping.slice(2).map(([name, make]): [string, (ours: Answer) => string] => [
  `${name}, the answer unsigned`,
  (ours) => {
    const whole = make(ours)
    return whole.replace(/(<\/saml:Issuer>)<ds:Signature[\s\S]*?<\/ds:Signature>(?=<samlp:)/, '$1')
  },
])

const attacks: [string, (ours: Answer) => string][] = [
  ...wrapping,
  ...wrappingUnsigned,
  [
    'two signed assertions',
    (ours) => {
      const whole = good(ours)
      return whole.replace(
        '</samlp:Response>',
        `${assertionIn(good({ ...ours, nameId: 'second' }))}</samlp:Response>`,
      )
    },
  ],
  [
    'no assertion',
    (ours) => {
      const whole = good(ours)
      return whole.replace(assertionIn(whole), '')
    },
  ],
  ['nothing signed', (ours) => answerXml(ours).replace('%response%', '').replace('%assertion%', '')],
  [
    'the answer unsigned',
    (ours) => signAt(answerXml(ours).replace('%response%', ''), '%assertion%', { keys }),
  ],
  [
    'the assertion unsigned',
    (ours) => signAt(answerXml(ours).replace('%assertion%', ''), '%response%', { keys }),
  ],
  ['an empty signature', (ours) => good(ours).replace(/<ds:SignatureValue>[^<]*/g, '<ds:SignatureValue>')],
  ['a changed signature', (ours) => good(ours).replace(/<ds:SignatureValue>..../, '<ds:SignatureValue>AAAA')],
  ['a changed name', (ours) => good(ours).replace('>mallory<', '>admin<')],
  ['a changed attribute', (ours) => good(ours).replace(/>s\d+@example.net</, '>boss@example.net<')],
  [
    'another key',
    signedWith({
      get keys() {
        return otherKeys
      },
    }),
  ],
  [
    'another key, its certificate in KeyInfo',
    (ours) => signBoth(answerXml(ours), { keys: otherKeys, keyInfo: otherKeys.certificate }),
  ],
  [
    'another key, our certificate in KeyInfo',
    (ours) => signBoth(answerXml(ours), { keys: otherKeys, keyInfo: keys.certificate }),
  ],
  ['SHA-1 for the signature', signedWith({ algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })],
  ['SHA-1 for the digest', signedWith({ digest: 'http://www.w3.org/2000/09/xmldsig#sha1' })],
  [
    'HMAC with the certificate as the key',
    (ours) =>
      signBoth(answerXml(ours), {
        keys,
        algorithm: 'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
        hmac: pemOf(keys.certificate),
      }),
  ],
  [
    'inclusive canonicalisation',
    signedWith({ canonicalization: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315' }),
  ],
  ['canonicalisation with comments', signedWith({ canonicalization: `${EXCLUSIVE}WithComments` })],
  ['one transform only', signedWith({ transforms: [ENVELOPED] })],
  ['a comment in the name, before signing', both({ nameId: 'admin<!-- -->.evil' })],
  ['a comment in the name, after signing', (ours) => good(ours).replace('>mallory<', '>mal<!-- x -->lory<')],
  ['CDATA in the name', both({ nameId: '<![CDATA[admin]]>' })],
  ['a processing instruction in the name', (ours) => good(ours).replace('>mallory<', '>mal<?x y?>lory<')],
  ['an element in the name', both({ nameId: 'admin<b/>' })],
  ['a DOCTYPE', (ours) => `<!DOCTYPE samlp:Response>${good(ours)}`],
  [
    'entities that grow',
    (ours) =>
      `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>${good(ours).replace('>mallory<', '>&b;<')}`,
  ],
  [
    'an entity from outside',
    (ours) =>
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>${good(ours).replace('>mallory<', '>&e;<')}`,
  ],
  ['an entity that is not declared', (ours) => good(ours).replace('>mallory<', '>&admin;<')],
  ['another audience', both({ audience: 'https://other.example' })],
  [
    'an audience that only begins like ours',
    (ours) => signBoth(answerXml({ ...ours, audience: `${ours.audience}.evil` }), { keys }),
  ],
  ['no audience', both({ conditions: '<saml:Conditions NotOnOrAfter="2999-01-01T00:00:00Z"/>' })],
  ['no conditions', both({ conditions: '' })],
  [
    'two conditions',
    (ours) => good(ours).replace(/<saml:Conditions[\s\S]*<\/saml:Conditions>/, (it) => it + it),
  ],
  ['another recipient', both({ recipient: 'https://other.example/acs' })],
  ['no recipient', both({ recipient: '' })],
  ['another destination', both({ destination: 'https://other.example/acs' })],
  ['no destination', both({ destination: '' })],
  ['InResponseTo missing (nobody asked)', both({ inResponseTo: '' })],
  ['InResponseTo of another request', both({ inResponseTo: '_other' })],
  ['InResponseTo of the subject missing', both({ subjectInResponseTo: '' })],
  ['InResponseTo of the subject another one', both({ subjectInResponseTo: '_other' })],
  ['expired', both({ notOnOrAfter: -120_000 })],
  ['the subject expired', both({ subjectNotOnOrAfter: -120_000 })],
  ['the subject never expires', both({ subjectNotOnOrAfter: null })],
  ['valid for a year', both({ notOnOrAfter: 365 * 86_400_000, subjectNotOnOrAfter: 365 * 86_400_000 })],
  ['not yet valid', both({ notBefore: 600_000 })],
  ['another issuer', both({ issuer: 'https://evil.example' })],
  ['another issuer of the answer', both({ responseIssuer: 'https://evil.example' })],
  ['not a bearer', both({ method: 'urn:oasis:names:tc:SAML:2.0:cm:sender-vouches' })],
  [
    'a name that changes each time',
    both({ nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }),
  ],
  ['a name without text', both({ nameId: '' })],
  ['the provider says no', both({ status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' })],
  ['one id for both', both({ assertionId: '_same', responseId: '_same' })],
  ['an encrypted assertion', (ours) => good(ours).replace(/saml:Assertion/g, 'saml:EncryptedAssertion')],
  [
    'an assertion of another namespace',
    (ours) =>
      good(ours).replace(
        'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a',
        'xmlns:saml="urn:evil" ID="_a',
      ),
  ],
  ['another version', (ours) => good(ours).replace('Version="2.0"', 'Version="1.1"')],
  [
    'a second subject confirmation',
    inserted(
      '<saml:SubjectConfirmation ',
      '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>',
    ),
  ],
  ['a logout response instead', (ours) => good(ours).replace(/samlp:Response/g, 'samlp:LogoutResponse')],
  ['two documents', (ours) => good(ours) + good(ours)],
  ['not XML', () => 'hello'],
  ['half of it', (ours) => good(ours).slice(0, 900)],
]

describe('[IDN-2.saml-attacks] a corpus of documents that are not to be trusted', () => {
  it('has at least twenty-five of them, and the one they are made from gets in', async () => {
    expect(attacks.length).toBeGreaterThan(25)
    expect(new Set(attacks.map(([name]) => name)).size).toBe(attacks.length)
    const { walker, ours } = await begin()
    expect((await post(walker, good(ours))).url.search).toBe('')
    expect(secretIn(walker)).not.toBeNull()
  })
  it.each(attacks)('%s', async (_name, make) => {
    const { walker, ours } = await begin()
    const before = await count()
    const page = await post(walker, make(ours))
    expect(page.url.search).toMatch(/^\?problem=(provider\.(answer|flow|refused)|request\.invalid)$/)
    const { outcome, reason } = await lastRecord()
    expect(outcome === 'provider.answer' ? reason : 'said').toBeTruthy()
    expect(secretIn(walker)).toBeNull()
    expect(await count()).toBe(before)
    // The browser that began is not hurt by it: the right answer still gets in.
    expect((await post(walker, signBoth(answerXml(ours), { keys }))).url.search).toBe('')
  })
  it('what is not base64, or no form at all', async () => {
    for (const raw of ['%%%', '', 'aGVsbG8=aGVsbG8=', Buffer.from([0xff, 0xfe, 0x00]).toString('base64')]) {
      const { walker } = await begin()
      expect((await post(walker, '', raw)).url.search).toMatch(/^\?problem=/)
    }
  })
})

describe('[IDN-2.saml-attacks] the right document in the wrong place', () => {
  it('shown twice: once', async () => {
    const { walker, ours } = await begin()
    const xml = good(ours)
    expect((await post(walker, xml)).url.search).toBe('')
    const before = await count()
    const again = createWalker()
    expect((await post(again, xml)).url.search).toMatch(/^\?problem=provider\.(flow|answer)$/)
    expect(await count()).toBe(before)
  })
  it('shown twenty times at once: one sign-in', async () => {
    const { walker, ours } = await begin()
    const xml = good(ours)
    const flow = walker.cookie(server.origin, 'kalnet-flow') ?? ''
    const all = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const twin = createWalker()
        twin.setCookie(server.origin, 'kalnet-flow', flow)
        return (await post(twin, xml)).url.search
      }),
    )
    expect(all.filter((it) => it === '')).toHaveLength(1)
  })
  it('one assertion for two requests: the second is refused', async () => {
    const first = await begin()
    const second = await begin()
    const shared = { assertionId: '_shared' }
    expect(
      (await post(first.walker, signBoth(answerXml({ ...first.ours, ...shared }), { keys }))).url.search,
    ).toBe('')
    const page = await post(second.walker, signBoth(answerXml({ ...second.ours, ...shared }), { keys }))
    expect(page.url.search).toBe('?problem=provider.answer')
  })
  it('in another browser (login CSRF): nobody is signed in', async () => {
    const { ours } = await begin()
    const victim = createWalker()
    await begin(victim)
    const page = await post(victim, good(ours))
    expect(page.url.search).toBe('?problem=provider.flow')
    expect(secretIn(victim)).toBeNull()
  })
  it('at another provider of ours', async () => {
    const added = await server.ask('POST', '/api/providers', {
      as: owner.secret,
      body: {
        kind: 'saml',
        name: 'Twin',
        metadata: { xml: metadataOf(keys) },
        createsPeople: true,
        enabled: true,
      },
    })
    const { walker, ours } = await begin()
    const page = await walker.go(String(added.body.acsUrl), {
      form: {
        from: 'https://idp.example',
        body: new URLSearchParams({ SAMLResponse: Buffer.from(good(ours)).toString('base64') }).toString(),
      },
      stop: isHome,
    })
    expect(page.url.search).toBe('?problem=provider.flow')
  })
  it('the reason is on record, in our own words', async () => {
    const { walker, ours } = await begin()
    await post(walker, both({ audience: 'https://secret-of-the-attacker.example' })(ours))
    const record = await lastRecord()
    expect(record.reason).toContain('audience')
    expect(record.reason).not.toContain('attacker')
  })
})
