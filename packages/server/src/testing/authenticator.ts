/** For tests: a passkey maker of our own (ES256, no attestation), which can also misbehave. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { Assertion, NewCredential } from '@kalnet/contracts/passkey'
import { isoCBOR } from '@simplewebauthn/server/helpers'

export interface Misbehaviour {
  /** The name in the address bar; else the one asked for. */
  origin?: string
  challenge?: string
  /** False: nobody touched a finger reader or typed a code. */
  verified?: boolean
  /** Stands still or goes back: a copy. */
  counter?: number
  userHandle?: string | null
  signature?: Buffer
}
export interface Authenticator {
  create(options: unknown, misbehaviour?: Misbehaviour): NewCredential
  get(options: unknown, misbehaviour?: Misbehaviour): Assertion
}

const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

export function createAuthenticator(origin: string): Authenticator {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const credentialId = randomBytes(32)
  const id = credentialId.toString('base64url')
  let counter = 0
  let rpId = ''
  let userHandle = ''

  function authenticatorData(attested: Buffer | null, it: Misbehaviour): Buffer {
    counter = it.counter ?? counter + 1
    // User present, user verified, attested data.
    const flags = 0x01 | (it.verified === false ? 0 : 0x04) | (attested ? 0x40 : 0)
    const head = Buffer.alloc(5)
    head.writeUInt8(flags, 0)
    head.writeUInt32BE(counter, 1)
    return Buffer.concat([createHash('sha256').update(rpId).digest(), head, attested ?? Buffer.alloc(0)])
  }
  const clientData = (type: string, options: { challenge: string }, it: Misbehaviour) =>
    text({
      type,
      challenge: it.challenge ?? options.challenge,
      origin: it.origin ?? origin,
      crossOrigin: false,
    })

  return {
    create(given, it = {}) {
      const options = given as { challenge: string; rp: { id: string }; user: { id: string } }
      rpId = options.rp.id
      userHandle = options.user.id
      const key = new Map<number, number | Uint8Array>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, new Uint8Array(Buffer.from(x, 'base64url'))],
        [-3, new Uint8Array(Buffer.from(y, 'base64url'))],
      ])
      const length = Buffer.alloc(2)
      length.writeUInt16BE(credentialId.length)
      const attested = Buffer.concat([Buffer.alloc(16), length, credentialId, isoCBOR.encode(key)])
      const attestation = new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', new Uint8Array(authenticatorData(attested, it))],
      ])
      const encoded = isoCBOR.encode(attestation as Parameters<typeof isoCBOR.encode>[0])
      return {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: clientData('webauthn.create', options, it),
          attestationObject: Buffer.from(encoded).toString('base64url'),
          transports: ['internal'],
        },
      }
    },
    get(given, it = {}) {
      const options = given as { challenge: string }
      const data = authenticatorData(null, it)
      const client = clientData('webauthn.get', options, it)
      const hashed = createHash('sha256').update(Buffer.from(client, 'base64url')).digest()
      const signature = it.signature ?? sign('sha256', Buffer.concat([data, hashed]), privateKey)
      return {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: client,
          authenticatorData: data.toString('base64url'),
          signature: signature.toString('base64url'),
          userHandle: it.userHandle === undefined ? userHandle : it.userHandle,
        },
      }
    },
  }
}
