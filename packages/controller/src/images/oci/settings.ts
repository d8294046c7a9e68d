/** Which registry images go to, and what images are called there. Says what cannot be meant before anything is asked. */
import { isIP } from 'node:net'
import { z } from 'zod'

/** A registry as people give it; `repositoryPrefix` is what stands before an image's name: `kalnet`, `team/kalnet`, or nothing. */
export const imageRegistry = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .refine((text) => isPlain(text), 'is a host and a port only: https://registry.example.com')
    .refine((text) => isSafe(text), 'must be https; http is for 127.0.0.1, ::1 and localhost only'),
  repositoryPrefix: z
    .string()
    .max(150)
    .regex(
      /^([a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*)?$/,
      'is not the name of a repository',
    )
    .default('kalnet'),
  credentials: z
    .strictObject({ user: z.string().min(1).max(300), password: z.string().min(1).max(16_384) })
    .nullish(),
  /** PEM of the authorities that are trusted for it, instead of those of this machine. */
  ca: z
    .string()
    .max(512 * 1024)
    .optional(),
})
export type ImageRegistry = z.infer<typeof imageRegistry>

const isLoopback = (host: string) => {
  const name = host.replace(/^\[|\]$/g, '')
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))
}

function isPlain(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { pathname, search, hash, username, password } = new URL(text)
  return pathname === '/' && `${search}${hash}${username}${password}` === ''
}

function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || isLoopback(hostname)
}

/** As it stands before the first slash of a reference; the usual port is left out, as engines do. */
export const hostOf = ({ url }: Pick<ImageRegistry, 'url'>): string => new URL(url).host

export const repositoryOf = ({ repositoryPrefix }: Pick<ImageRegistry, 'repositoryPrefix'>, name: string) =>
  repositoryPrefix ? `${repositoryPrefix}/${name}` : name

/** What a cluster pulls by: the digest, so that nobody can put something else in its place. */
export const pinned = (registry: ImageRegistry, name: string, digest: string): string =>
  `${hostOf(registry)}/${repositoryOf(registry, name)}@${digest}`
