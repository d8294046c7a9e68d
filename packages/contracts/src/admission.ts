/** What may never run, judged the same in the control plane and again in the controller. */
import type { InstanceSpec } from './instance.ts'

const REFUSED_ENVIRONMENT = /^(LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|KALNET_.*|DOCKER_HOST)$/

/** What an instance is made of; a volume there would replace it. */
const REFUSED_PLACES = /^\/*$|^\/+(proc|sys|dev|run|etc|usr|bin|sbin|lib\w*|boot|tmp)(\/|$)/

/** Problems in words; empty when the spec is admitted. The same on create, update and import. */
export function admissionProblems(spec: InstanceSpec): string[] {
  const problems = spec.wants.map((want) => `it asks for ${want.replace('-', ' ')}`)
  for (const name of Object.keys(spec.environment)) {
    if (REFUSED_ENVIRONMENT.test(name)) problems.push(`it sets the environment variable ${name}`)
  }
  if ('recipe' in spec.image && spec.command.length === 0) problems.push('it has no command')
  for (const { at, name } of spec.volumes)
    if (REFUSED_PLACES.test(at) || at.split('/').includes('..'))
      problems.push(`its volume ${name} would cover ${at}`)
  for (const [what, all] of [
    ['volumes', spec.volumes.map((it) => it.name)],
    ['volumes in one place', spec.volumes.map((it) => it.at.replace(/\/+$/, ''))],
    ['files', spec.files.map((it) => it.name)],
    ['links', spec.links.map((it) => it.name)],
  ] as const)
    if (new Set(all).size !== all.length) problems.push(`two of its ${what} have one name`)
  // That name is its own, in its own network.
  if (spec.links.some((it) => it.name === 'localhost')) problems.push('one of its links is called localhost')
  const names = spec.ports.map((port) => port.name)
  if (new Set(names).size !== names.length) problems.push('two of its ports have one name')
  for (const [does, name] of [
    ['its probe asks', spec.probe && 'port' in spec.probe ? spec.probe.port : null],
    ['it waits for', spec.ready?.port ?? null],
  ] as const) {
    const port = spec.ports.find((it) => it.name === name)
    if (name !== null && !port) problems.push(`${does} the port ${name}, which it does not have`)
    else if (port && 'udp' in port.at) problems.push(`${does} the port ${name}, which takes no connections`)
  }
  if (spec.command.some((word) => word.includes('\0'))) problems.push('its command contains a zero byte')
  if (spec.workdir.split('/').includes('..')) problems.push('its working folder climbs out with ..')
  return problems
}
