/** What stands for a service: the picture of its template, or its first letter. */
import type { Service } from '@kalnet/contracts/service'
import { iconOf } from '../sessions/card.tsx'
import css from './services.module.css'

export function ServiceIcon({
  service,
  size,
}: {
  service: Pick<Service, 'templateId' | 'title'>
  size: number
}) {
  if (service.templateId)
    return <img className={css.icon} src={iconOf(service.templateId)} alt="" width={size} height={size} />
  return (
    <span className={css.letter} style={{ width: size, height: size }} aria-hidden>
      {service.title.slice(0, 1).toUpperCase()}
    </span>
  )
}
