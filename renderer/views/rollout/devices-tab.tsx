import type { Product } from '../../../shared/domain/product.ts';
import { useStudio } from '../../stores/studio.ts';
import { CloudSection } from './cloud-section.tsx';
import { DevicesSection } from './devices-section.tsx';
import { FleetSection } from './fleet-section.tsx';
import layout from '../../widgets/columns.module.css';
import classes from './rollout-view.module.css';

/** The local cloud, simulated devices, and the devices of the product. */
export function DevicesTab({ product }: { readonly product: Product }) {
  const isRunning = useStudio((state) => state.cloud?.running ?? false);
  return (
    <div className={`${layout.columns} ${classes.columns}`} data-kind="devices">
      <div className={`${layout.column} ${classes.column}`} data-scroll>
        <CloudSection />
        <FleetSection product={product} />
      </div>
      <div className={layout.column}>
        <DevicesSection product={product} isCloudRunning={isRunning} />
      </div>
    </div>
  );
}
