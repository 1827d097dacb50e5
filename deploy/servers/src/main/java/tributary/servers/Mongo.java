package tributary.servers;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** A MongoDB-wire server in memory on 127.0.0.1; the only argument is its port. It ends with its process. */
public final class Mongo {
    private Mongo() {}

    /** The newest the server knows is 5.0 with an old wire version, which drivers of today refuse to speak to. */
    private static final MongoVersion ANNOUNCED = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(6, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 17;
        }
    };

    public static void main(String[] args) {
        new MongoServer(new MemoryBackend().version(ANNOUNCED)).bind("127.0.0.1", Integer.parseInt(args[0]));
    }
}
