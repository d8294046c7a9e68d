/** What may never run, judged the same in the control plane and again in the controller. */
import type { InstanceSpec } from './instance.ts'

const REFUSED_ENVIRONMENT = /^(LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|KALNET_.*|DOCKER_HOST)$/

/** Problems in words; empty when the spec is admitted. The same on create, update and import. */
export function admissionProblems(spec: InstanceSpec): string[] {
  const problems = spec.wants.map((want) => `it asks for ${want.replace('-', ' ')}`)
  for (const name of Object.keys(spec.environment)) {
    if (REFUSED_ENVIRONMENT.test(name)) problems.push(`it sets the environment variable ${name}`)
  }
  const names = spec.ports.map((port) => port.name)
  if (new Set(names).size !== names.length) problems.push('two of its ports have one name')
  if (spec.ready && !names.includes(spec.ready.port))
    problems.push(`it waits for the port ${spec.ready.port}, which it does not have`)
  if (spec.command.some((word) => word.includes('\0'))) problems.push('its command contains a zero byte')
  if (spec.workdir.split('/').includes('..')) problems.push('its working folder climbs out with ..')
  return problems
}
