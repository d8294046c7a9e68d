/** A visitor stays with one instance by a cookie that only the gateway reads. */

export const STICKY_COOKIE = 'kalnet-at'

/** A short name for an instance that tells nothing of it (FNV-1a, 64 bits). It opens nothing: choosing another is no harm. */
export function tagOf(id: string): string {
  let hash = 0xcbf29ce484222325n
  for (let at = 0; at < id.length; at += 1)
    hash = ((hash ^ BigInt(id.charCodeAt(at))) * 0x100000001b3n) & 0xffffffffffffffffn
  return hash.toString(36)
}

export function stickyTag(cookie: string | undefined): string | null {
  if (!cookie?.includes(STICKY_COOKIE)) return null
  return new RegExp(`(?:^|; *)${STICKY_COOKIE}=([0-9a-z]{1,13})(?:;|$)`).exec(cookie)?.[1] ?? null
}

/** Goes with the browser's session; Lax, so that a link from elsewhere leads to the same instance. */
export const stickyCookie = (tag: string, path: string, secure: boolean): string =>
  `${STICKY_COOKIE}=${tag}; Path=${path}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
