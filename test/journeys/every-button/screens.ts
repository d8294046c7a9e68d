/** Which journey answers for which screens. What was seen and never pressed, and a screen that nobody answers for, is told. */
import type { Control } from '../../support/controls.ts'

/** The one page that stands alone and is no door. */
const trustTitle = 'Make this device trust your Kalnet'

/** Addresses with their ids left out; `door …`: pages before the house, by their title; else where a control stands. */
const SCREENS = {
  house: [
    'frame',
    'notice',
    '/',
    '/launch',
    '/s/…',
    '/sessions/…',
    '/nothing-here',
    '/settings/controllers',
    '/settings/controllers/…',
    '/settings/nothing',
  ],
  people: [
    'door',
    'tabs Settings',
    '/activity',
    '/settings',
    '/settings/apps',
    '/settings/groups',
    '/settings/keys',
    '/settings/people',
    '/settings/people/…',
    '/settings/providers',
    '/settings/sign-in-rules',
  ],
  services: [
    'tabs About this service',
    '/services',
    '/services/…',
    '/settings/certificates',
    '/settings/network',
    'trust',
  ],
}
export type Journey = keyof typeof SCREENS

const journeyOf = ({ where, screen }: Control): Journey | null => {
  const [place = ''] = where.split(' ')
  const at = /^(dialog|menu)$/.test(place) ? screen : where
  const name = at === `door ${trustTitle}` ? 'trust' : at.startsWith('door ') ? 'door' : at
  const found = Object.entries(SCREENS).find(([, screens]) => screens.includes(name))
  return (found?.[0] as Journey | undefined) ?? null
}

export function forgotten(journey: Journey, controls: readonly Control[]): string[] {
  return controls.flatMap((it) => {
    const whose = journeyOf(it)
    if (whose === null) return [`no journey answers for ${it.screen} (${it.where}: ${it.name})`]
    return whose === journey && !it.pressed ? [`${it.where}: ${it.name}`] : []
  })
}
