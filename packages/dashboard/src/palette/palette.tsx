/** Ctrl K: go anywhere, start anything, with the keyboard alone. */
import { useQuery } from '@tanstack/react-query'
import { Activity, Boxes, House, MonitorPlay, Network, Rocket, Server, UserRound } from 'lucide-react'
import type { ReactNode } from 'react'
import { Autocomplete, useFilter } from 'react-aria-components/Autocomplete'
import { Header } from 'react-aria-components/Header'
import { Input } from 'react-aria-components/Input'
import { Menu, MenuItem, MenuSection } from 'react-aria-components/Menu'
import { SearchField } from 'react-aria-components/SearchField'
import { useLocation } from 'wouter'
import * as m from '../messages/index.ts'
import { liveSessionsQuery, may, templatesQuery, useMe } from '../queries.ts'
import { openable } from '../services/facts.ts'
import { servicesQuery } from '../services/queries.ts'
import { useLaunch } from '../sessions/actions.ts'
import { iconOf } from '../sessions/card.tsx'
import { Dialog } from '../ui/dialog.tsx'
import css from './palette.module.css'

/** A region that scrolls must be reachable by keyboard (axe: scrollable-region-focusable). */
const REACHABLE = { tabIndex: 0 }

interface Item {
  id: string
  words: string
  hint?: string
  icon: ReactNode
  act: () => void
}
const Icon = ({ src }: { src: string }) => <img src={src} alt="" width="20" height="20" />

const Part = ({ title, items, onDone }: { title: string; items: Item[]; onDone: () => void }) => (
  <MenuSection className={css.part}>
    <Header className={css.title}>{title}</Header>
    {items.map((it) => (
      <MenuItem
        key={it.id}
        id={it.id}
        textValue={`${it.words} ${it.hint ?? ''}`}
        className={css.item}
        onAction={() => {
          onDone()
          it.act()
        }}
      >
        {it.icon}
        <span className={css.words}>{it.words}</span>
        {it.hint && <span className={css.hint}>{it.hint}</span>}
      </MenuItem>
    ))}
  </MenuSection>
)

export default function Palette({ onClose }: { onClose: () => void }) {
  const me = useMe()
  const [, go] = useLocation()
  const launch = useLaunch()
  const { contains } = useFilter({ sensitivity: 'base' })
  const sessions = useQuery(liveSessionsQuery).data?.items.filter((it) => it.userId === me.id) ?? []
  const templates = (useQuery(templatesQuery).data?.items ?? []).filter((it) =>
    may(me, it.kind === 'service' ? 'service.manage' : 'session.launch'),
  )
  const all = (useQuery(servicesQuery).data?.items ?? []).filter(({ kind }) => kind !== 'platform')

  const places: Item[] = [
    { id: 'go-home', words: m.home, icon: <House aria-hidden />, act: () => go('/') },
    { id: 'go-launch', words: m.launch, icon: <Rocket aria-hidden />, act: () => go('/launch') },
    { id: 'go-services', words: m.services, icon: <Boxes aria-hidden />, act: () => go('/services') },
    { id: 'go-activity', words: m.activity, icon: <Activity aria-hidden />, act: () => go('/activity') },
    {
      id: 'go-me',
      words: m.settingsMe,
      hint: m.settings,
      icon: <UserRound aria-hidden />,
      act: () => go('/settings'),
    },
  ]
  if (may(me, 'controller.read')) {
    places.push({
      id: 'go-controllers',
      words: m.settingsControllers,
      hint: m.settings,
      icon: <Server aria-hidden />,
      act: () => go('/settings/controllers'),
    })
  }
  if (may(me, 'route.read')) {
    places.push({
      id: 'go-network',
      words: m.settingsNetwork,
      hint: m.settings,
      icon: <Network aria-hidden />,
      act: () => go('/settings/network'),
    })
  }
  const services: Item[] = (may(me, 'service.operate') ? all : openable(all)).map((it) => ({
    id: `service-${it.id}`,
    words: it.title,
    hint: it.name === it.title.toLowerCase() ? undefined : it.name,
    icon: it.templateId ? <Icon src={iconOf(it.templateId)} /> : <Boxes aria-hidden />,
    act: () => go(`/services/${it.id}`),
  }))
  const open: Item[] = sessions.map((it) => ({
    id: it.id,
    words: it.name,
    hint: it.templateName === it.name ? undefined : it.templateName,
    icon: <MonitorPlay aria-hidden />,
    act: () => go(`/s/${it.id}`),
  }))
  const start: Item[] = templates.map((it) => ({
    id: `start-${it.id}`,
    words: it.kind === 'service' ? m.installNamed(it.name) : m.startNamed(it.name),
    icon: <Icon src={iconOf(it.id)} />,
    act: () => (it.kind === 'service' ? go(`/launch?add=${it.id}`) : launch.mutate({ templateId: it.id })),
  }))
  return (
    <Dialog title={m.goOrStart} onClose={onClose} place="top">
      <Autocomplete filter={contains}>
        <SearchField aria-label={m.paletteSearch} autoFocus className={css.search}>
          <Input className={css.input} placeholder={m.paletteSearch} />
        </SearchField>
        <div className={css.scroll} {...REACHABLE}>
          <Menu
            aria-label={m.goOrStart}
            className={css.menu}
            renderEmptyState={() => <p className={css.none}>{m.paletteNothing}</p>}
          >
            {open.length > 0 && <Part title={m.paletteSessions} items={open} onDone={onClose} />}
            {services.length > 0 && <Part title={m.paletteServices} items={services} onDone={onClose} />}
            <Part title={m.paletteGo} items={places} onDone={onClose} />
            {start.length > 0 && <Part title={m.paletteStart} items={start} onDone={onClose} />}
          </Menu>
        </div>
      </Autocomplete>
    </Dialog>
  )
}
