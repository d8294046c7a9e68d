/**
 * The certificate of one screen: made for it, known to its controller alone, and trusted by itself and nothing else. X.509 by hand
 * (RFC 5280, in DER): the library that makes certificates is the control plane's, and this one says nothing but a key.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const [INTEGER, BITS, OID, TEXT, SEQUENCE, SET, MOMENT] = [0x02, 0x03, 0x06, 0x0c, 0x30, 0x31, 0x18]
const COMMON_NAME = Buffer.from('550403', 'hex')
const ECDSA_SHA256 = Buffer.from('2a8648ce3d040302', 'hex')

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
const text = (tag: number, value: string) => der(tag, Buffer.from(value))
const pem = (label: string, bytes: Buffer) =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`

export interface ScreenCertificate {
  /** PEM */
  certificate: string
  key: string
}

export function newCertificate(): ScreenCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(SEQUENCE, der(OID, ECDSA_SHA256))
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, der(OID, COMMON_NAME), text(TEXT, 'kalnet screen'))))
  // It ends with its pod; the times are the widest there are (RFC 5280, 4.1.2.5).
  const times = der(SEQUENCE, text(MOMENT, '20200101000000Z'), text(MOMENT, '99991231235959Z'))
  // Positive, and never short.
  const serial = der(INTEGER, Buffer.from([0x40]), randomBytes(15))
  const asked = der(
    SEQUENCE,
    serial,
    algorithm,
    name,
    times,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = der(BITS, Buffer.from([0]), sign('sha256', asked, privateKey))
  return {
    certificate: pem('CERTIFICATE', der(SEQUENCE, asked, algorithm, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}
