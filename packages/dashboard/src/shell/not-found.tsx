/** An address with nothing behind it. */
import { Compass } from 'lucide-react'
import * as m from '../messages/index.ts'
import { LinkButton } from '../ui/button.tsx'
import { Empty } from '../ui/parts.tsx'
import { useTitle } from './use-title.ts'

export function NotFound() {
  useTitle(m.notFoundTitle)
  return (
    <Empty
      page
      icon={<Compass aria-hidden />}
      title={m.notFoundTitle}
      text={m.notFoundText}
      next={
        <LinkButton look="primary" href="/">
          {m.goHome}
        </LinkButton>
      }
    />
  )
}
