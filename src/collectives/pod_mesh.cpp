// Pod mesh: one step within each instance of an UltraServer, one between equal places of the
// instances. Named in public headers, described nowhere: a reconstruction.
#include "staged.h"

namespace trnsim::collectives {

Dag make_pod_mesh(const Request& request) {
  return make_staged(request, Algorithm::kPodMesh, {Algorithm::kSwitchMesh, Algorithm::kSwitchMesh},
                     1);
}

}  // namespace trnsim::collectives
