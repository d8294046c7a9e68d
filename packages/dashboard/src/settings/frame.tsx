/** The frame of the settings pages: which there are, and where one is. */
import type { Permission } from '@kalnet/contracts/permission'
import { type ReactNode, useEffect, useRef } from 'react'
import { Link } from 'wouter'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { useTitle } from '../shell/use-title.ts'
import css from './settings.module.css'

/** Every settings page, in the order of its tabs; null: for everybody. */
const PAGES = [
  { id: 'me', path: '/settings', label: m.settingsMe, permission: null },
  { id: 'people', path: '/settings/people', label: m.settingsPeople, permission: 'group.read' },
  { id: 'groups', path: '/settings/groups', label: m.settingsGroups, permission: 'group.read' },
  {
    id: 'providers',
    path: '/settings/providers',
    label: m.settingsProviders,
    permission: 'provider.manage',
  },
  { id: 'keys', path: '/settings/keys', label: m.settingsKeys, permission: 'key.own' },
  { id: 'apps', path: '/settings/apps', label: m.settingsApps, permission: 'app.manage' },
  { id: 'rules', path: '/settings/sign-in-rules', label: m.settingsRules, permission: 'policy.manage' },
  { id: 'network', path: '/settings/network', label: m.settingsNetwork, permission: 'route.read' },
  {
    id: 'certificates',
    path: '/settings/certificates',
    label: m.settingsCertificates,
    permission: 'network.read',
  },
  {
    id: 'controllers',
    path: '/settings/controllers',
    label: m.settingsControllers,
    permission: 'controller.read',
  },
] as const satisfies readonly { id: string; path: string; label: string; permission: Permission | null }[]

interface FrameProps {
  here: (typeof PAGES)[number]['id']
  title: string
  text: string
  action?: ReactNode
  children: ReactNode
}

export function Frame({ here, title, text, action, children }: FrameProps) {
  useTitle(title)
  const me = useMe()
  const tabs = useRef<HTMLElement>(null)
  // On a phone the tabs are wider than the page: the one that is shown stands in sight.
  useEffect(() => {
    tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' })
  }, [])
  const pages = PAGES.filter(({ permission }) => permission === null || may(me, permission))
  return (
    <div className={css.page}>
      {pages.length > 1 && (
        <nav ref={tabs} aria-label={m.settings} className={css.tabs}>
          {pages.map(({ id, path, label }) => (
            <Link key={id} href={path} aria-current={here === id ? 'page' : undefined}>
              {label}
            </Link>
          ))}
        </nav>
      )}
      <header className={css.head}>
        <div>
          <h1>{title}</h1>
          <p className={css.sub}>{text}</p>
        </div>
        {action}
      </header>
      {children}
    </div>
  )
}
