/**
 * What lies in a pod for its screen: the secret that it asks for, and where it is reached by its address, what makes it speak TLS there.
 * Images of ours start `Xvnc` on the loopback: in front of it on the path lies a word of ours, so that images that are in registries
 * already need not be made anew. Of a setting that Xvnc is told twice the last word counts.
 */
import type { InstanceSpec } from '@kalnet/contracts/instance'
import { secretFile } from './display.ts'
import type { ScreenCertificate } from './screen-certificate.ts'

export const SCREEN_FOLDER = '/run/kalnet/display'
/** As images of ours have it. */
const IMAGE_PATH = '/usr/local/bin:/usr/bin:/bin'
const NAMES = { secret: 'secret', program: 'Xvnc', certificate: 'cert.pem', key: 'key.pem' } as const

const PROGRAM = `#!/bin/sh
# Reached by the pod's address: by TLS alone, and by whoever knows the secret.
exec /usr/bin/Xvnc "$@" -localhost=0 -SecurityTypes X509Vnc -X509Cert ${SCREEN_FOLDER}/${NAMES.certificate} -X509Key ${SCREEN_FOLDER}/${NAMES.key}
`

/** Names of the files in its folder, with rights that are not the usual ones. */
export const screenNames = (isDirect: boolean): { name: string; mode?: number }[] => [
  { name: NAMES.secret },
  ...(isDirect
    ? [{ name: NAMES.program, mode: 0o550 }, { name: NAMES.certificate }, { name: NAMES.key }]
    : []),
]

export const screenFiles = (
  secret: string,
  tls: ScreenCertificate | null,
): Record<string, string | Buffer> => ({
  [NAMES.secret]: secretFile(secret),
  ...(tls && { [NAMES.program]: PROGRAM, [NAMES.certificate]: tls.certificate, [NAMES.key]: tls.key }),
})

/** So that the word of ours is found first. */
export const screenPath = (environment: InstanceSpec['environment']): Record<string, string> => ({
  PATH: `${SCREEN_FOLDER}:${environment.PATH ?? IMAGE_PATH}`,
})
