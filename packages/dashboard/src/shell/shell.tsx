/** The frame around the places: a side bar, or a bottom bar on a phone; the palette; the offline banner. */
import { Activity, Boxes, House, type LucideIcon, Rocket, Search, Settings } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Link, Route, Switch, useLocation } from 'wouter'
import * as m from '../messages/index.ts'
import { shellPages } from '../pages.ts'
import { useMe } from '../queries.ts'
import { later } from '../ui/later.tsx'
import { Key } from '../ui/parts.tsx'
import { Mark } from './mark.tsx'
import { NotFound } from './not-found.tsx'
import { Offline } from './offline.tsx'
import css from './shell.module.css'

const Palette = later(() => import('../palette/palette.tsx'))

const PLACES: { href: string; label: string; Icon: LucideIcon; owns: (path: string) => boolean }[] = [
  { href: '/', label: m.home, Icon: House, owns: (path) => path === '/' || path.startsWith('/sessions') },
  { href: '/launch', label: m.launch, Icon: Rocket, owns: (path) => path === '/launch' },
  { href: '/services', label: m.services, Icon: Boxes, owns: (path) => path.startsWith('/services') },
  { href: '/activity', label: m.activity, Icon: Activity, owns: (path) => path === '/activity' },
  { href: '/settings', label: m.settings, Icon: Settings, owns: (path) => path.startsWith('/settings') },
]

export function Shell() {
  const [path] = useLocation()
  const me = useMe()
  const [palette, setPalette] = useState(false)

  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== 'k') return
      event.preventDefault()
      setPalette((shown) => !shown)
    }
    window.addEventListener('keydown', open)
    return () => window.removeEventListener('keydown', open)
  }, [])
  useEffect(() => {
    if (path) window.scrollTo(0, 0)
  }, [path])

  return (
    <div className={css.frame}>
      <a className={css.skip} href="#content">
        {m.skipToContent}
      </a>
      <header className={css.side}>
        <Link href="/" className={css.brand} aria-label={m.product}>
          <Mark />
          <span aria-hidden>{m.product}</span>
        </Link>
        <nav aria-label={m.places} className={css.places}>
          {PLACES.map(({ href, label, Icon, owns }) => (
            <Link key={href} href={href} aria-current={owns(path) ? 'page' : undefined} className={css.place}>
              <Icon aria-hidden />
              <span>{label}</span>
            </Link>
          ))}
        </nav>
        <button type="button" className={css.find} onClick={() => setPalette(true)}>
          <Search aria-hidden />
          <span>{m.goOrStart}</span>
          <Key>{m.paletteChord}</Key>
        </button>
        <Link href="/settings" className={css.me}>
          <span className={css.face} aria-hidden>
            {me.name.slice(0, 1).toUpperCase()}
          </span>
          <span className={css.who}>
            <strong>{me.name}</strong>
            <span>{me.organisationName}</span>
          </span>
        </Link>
      </header>
      <div className={css.body}>
        <Offline />
        <main id="content" className={css.main} tabIndex={-1}>
          <Switch>
            {shellPages.map(({ path: at, Page }) => (
              <Route key={at} path={at}>
                <Page key={path} />
              </Route>
            ))}
            <Route>
              <NotFound />
            </Route>
          </Switch>
        </main>
      </div>
      {palette && <Palette onClose={() => setPalette(false)} />}
    </div>
  )
}
