/** The authority as the files that devices take. */
import { createHash } from 'node:crypto'
import type { Authority, AuthorityForm } from '@kalnet/contracts/certificate'
import { fingerprintOf, pemOf, type Signer } from '../core/x509.ts'

export const derOf = (signer: Signer) => Buffer.from(signer.certificate.rawData)
const nameOf = (signer: Signer) => signer.certificate.subject.replace(/^CN=/, '')

export const authorityOf = (signer: Signer): Authority => {
  const pem = pemOf(signer.certificate)
  return {
    name: nameOf(signer),
    fingerprint: fingerprintOf(pem),
    notAfter: signer.certificate.notAfter.toISOString(),
    pem,
    der: derOf(signer).toString('base64'),
  }
}

/** Always the same for one authority, so that a device that gets it twice replaces it. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
const escaped = (text: string) => text.replace(/[<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** Apple's configuration profile with one payload, a root certificate (com.apple.security.root). */
function profileOf(signer: Signer): string {
  const { fingerprint, der } = authorityOf(signer)
  const name = escaped(nameOf(signer))
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadCertificateFileName</key>
      <string>kalnet.cer</string>
      <key>PayloadContent</key>
      <data>${der}</data>
      <key>PayloadDisplayName</key>
      <string>${name}</string>
      <key>PayloadIdentifier</key>
      <string>net.kal.authority.${uuidOf(fingerprint)}</string>
      <key>PayloadType</key>
      <string>com.apple.security.root</string>
      <key>PayloadUUID</key>
      <string>${uuidOf(fingerprint)}</string>
      <key>PayloadVersion</key>
      <integer>1</integer>
    </dict>
  </array>
  <key>PayloadDescription</key>
  <string>Lets this device trust the Kalnet at home. Compare before you go on: ${fingerprint}</string>
  <key>PayloadDisplayName</key>
  <string>${name}</string>
  <key>PayloadIdentifier</key>
  <string>net.kal.trust.${uuidOf(fingerprint)}</string>
  <key>PayloadRemovalDisallowed</key>
  <false/>
  <key>PayloadType</key>
  <string>Configuration</string>
  <key>PayloadUUID</key>
  <string>${uuidOf(`profile ${fingerprint}`)}</string>
  <key>PayloadVersion</key>
  <integer>1</integer>
</dict>
</plist>
`
}

export interface DeviceFile {
  type: string
  name: string
  content: Buffer
}
export function fileOf(signer: Signer, form: AuthorityForm): DeviceFile {
  switch (form) {
    case 'pem':
      return {
        type: 'application/x-pem-file',
        name: 'kalnet-authority.pem',
        content: Buffer.from(pemOf(signer.certificate)),
      }
    case 'der':
      return { type: 'application/x-x509-ca-cert', name: 'kalnet-authority.crt', content: derOf(signer) }
    case 'mobileconfig':
      return {
        type: 'application/x-apple-aspen-config',
        name: 'kalnet.mobileconfig',
        content: Buffer.from(profileOf(signer)),
      }
  }
}
