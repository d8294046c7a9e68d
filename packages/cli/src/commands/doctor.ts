/** `kalnet doctor`: what is there, what is missing, what each thing enables, and how to get it. */
import type { AddCommand } from '../context.ts'
import { type Check, examine } from '../host/doctor.ts'
import { EXIT } from '../problem.ts'
import { addDoctorNetwork } from './doctor-network.ts'

const MARK = { ok: '✓', weak: '~', missing: '✗' } as const

export const addDoctor: AddCommand = (program, context) => {
  const doctor = program
    .command('doctor')
    .description('what is there, what is missing, what each thing enables')
    .action(async () => {
      const it = context()
      const checks = await examine(it)
      const stops = checks.filter((check) => check.state === 'missing' && check.needed)
      it.output.result(doctorLines(checks), { ok: stops.length === 0, checks })
      if (stops.length > 0) it.exit.code = EXIT.refused
    })
  addDoctorNetwork(doctor, context)
}

export function doctorLines(checks: readonly Check[]): string[] {
  const width = Math.max(...checks.map((check) => check.name.length))
  const lines = checks.flatMap((check) => [
    `${MARK[check.state]} ${check.name.padEnd(width)}  ${check.detail}${check.state === 'ok' ? ` — ${check.enables}` : ''}`,
    ...(check.state === 'ok' ? [] : [`  ${' '.repeat(width)}  for: ${check.enables}`]),
    ...(check.fix ? [`  ${' '.repeat(width)}  → ${check.fix}`] : []),
  ])
  const bad = checks.filter((check) => check.state === 'missing' && check.needed).length
  const weak = checks.filter((check) => check.state !== 'ok').length - bad
  const end =
    bad > 0
      ? `${bad} thing${bad === 1 ? '' : 's'} must be put right before Kalnet can work here.`
      : weak > 0
        ? `Kalnet works here; ${weak} thing${weak === 1 ? '' : 's'} could be better.`
        : 'Everything is there.'
  return [...lines, '', end]
}
