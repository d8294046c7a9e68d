/** What is written for a new address, judged as the server will judge it, so that the words stand at their field. */
import type { Match } from '@kalnet/contracts/gateway'
import * as m from '../messages/index.ts'

export interface NewRoute {
  kind: Match['kind']
  host: string
  path: string
  strip: boolean
  listen: string
  sni: string
  port: string
}
export const EMPTY: NewRoute = {
  kind: 'http',
  host: '',
  path: '/',
  strip: false,
  listen: '',
  sni: '',
  port: 'http',
}
export type Problems = Partial<Record<keyof NewRoute, string>>

const HOST = /^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
const PATH = /^\/[\w./~-]*$/
const PORT = /^[a-z0-9][a-z0-9-]{0,62}$/
const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535

export function problemsOf(form: NewRoute): Problems {
  const wrong: Problems = {}
  if (form.kind === 'http') {
    if (!HOST.test(form.host.trim())) wrong.host = m.routeHostWrong
    if (!PATH.test(form.path.trim()) || /(^|\/)\.{1,2}(\/|$)|\/\//.test(form.path))
      wrong.path = m.routePathWrong
  } else if (!isPort(form.listen.trim())) wrong.listen = m.routeListenWrong
  if (form.kind === 'tcp' && form.sni.trim() && !HOST.test(form.sni.trim())) wrong.sni = m.routeHostWrong
  if (!PORT.test(form.port.trim())) wrong.port = m.routeServicePortWrong
  return wrong
}

export function matchOf(form: NewRoute): Match {
  const listen = Number(form.listen)
  if (form.kind === 'udp') return { kind: 'udp', listen }
  if (form.kind === 'tcp') return { kind: 'tcp', listen, sni: form.sni.trim().toLowerCase() || null }
  const pathPrefix = form.path.trim()
  return {
    kind: 'http',
    host: form.host.trim().toLowerCase(),
    pathPrefix,
    strip: pathPrefix !== '/' && form.strip,
  }
}
